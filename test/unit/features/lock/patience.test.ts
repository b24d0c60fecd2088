import { Patience } from '../../../../lib/features/lock/patience.js';

describe('[LCK-1] the patience of who waits for a lock', () => {
  it('has nothing left when it says that it is over, though timers fire a moment early', async () => {
    const left: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      const patience = new Patience(2 + round * 0.137, []);
      await new Promise<void>((resolve) => {
        patience.onEnd(() => {
          left.push(patience.left);
          resolve();
        });
      });
    }
    expect(left.filter((milliseconds) => milliseconds > 0)).toEqual([]);
  });

  it('tells at once when it is over already, or none was given', () => {
    const told: string[] = [];
    new Patience(0, []).onEnd(() => told.push('none'));
    new Patience(1_000, [AbortSignal.abort()]).onEnd(() => told.push('aborted'));
    expect(told).toEqual(['none', 'aborted']);
  });
});
