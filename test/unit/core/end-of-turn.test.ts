import { AsyncLocalStorage } from 'node:async_hooks';
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

  it('runs each function in the context it was given in', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    for (const name of ['anne', 'bert']) {
      context.run(name, () => {
        gatherTurn(() => seen.push(`gathers for ${context.getStore()}`));
        sendTurn(() => seen.push(`sends for ${context.getStore()}`));
      });
    }
    await nextTurn();
    expect(seen).toEqual(['gathers for anne', 'gathers for bert', 'sends for anne', 'sends for bert']);
  });

  it('comes also where a test has put timers of its own in the place of the real ones', async () => {
    const seen: string[] = [];
    import.meta.jest.useFakeTimers();
    gatherTurn(() => seen.push('gathered'));
    import.meta.jest.useRealTimers();
    await nextTurn();
    expect(seen).toEqual(['gathered']);
  });
});
