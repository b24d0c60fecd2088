import { gatherTurn, sendTurn } from '../../../lib/core/end-of-turn.js';

/** The turn after this one. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('the end of a turn', () => {
  it('lets what gathers come before what sends, and what that asks for leave with it', async () => {
    const seen: string[] = [];
    const turns: string[] = [];
    sendTurn(() => seen.push('sent first'));
    gatherTurn(() => {
      seen.push('gathered');
      setImmediate(() => turns.push('next turn'));
      sendTurn(() => seen.push(`sent last, ${turns.length} turns later`));
    });
    expect(seen).toEqual([]);
    await nextTurn();
    expect(seen).toEqual(['gathered', 'sent first', 'sent last, 0 turns later']);
  });

  it('comes again in the next turn', async () => {
    const seen: number[] = [];
    for (const turn of [1, 2, 3]) {
      gatherTurn(() => void seen.push(turn));
      await nextTurn();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it('comes for what is gathered while others send', async () => {
    const seen: string[] = [];
    sendTurn(() => gatherTurn(() => seen.push('gathered late')));
    await nextTurn();
    await nextTurn();
    expect(seen).toEqual(['gathered late']);
  });
});
