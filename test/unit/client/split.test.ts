import { slotOf } from '../../../lib/core/slot.js';
import { combineReplies, splitBySlot } from '../../../lib/client/split.js';

describe('splitting by slot', () => {
  it('[CLU-1] keeps keys with their values, and remembers where they stood', () => {
    const parts = splitBySlot(['{a}1', 'x', 'b', 'y', '{a}2', 'z'], { step: 2, combine: 'same' });

    expect(parts).toEqual([
      { args: ['{a}1', 'x', '{a}2', 'z'], places: [0, 2] },
      { args: ['b', 'y'], places: [1] },
    ]);
  });

  it('[CLU-1] puts replies back in order, sums them, or takes the first', () => {
    const parts = splitBySlot(['{a}1', 'b', '{a}2'], { step: 1, combine: 'order' });

    expect(combineReplies(parts, [['1', null], ['b']], { step: 1, combine: 'order' })).toEqual(['1', 'b', null]);
    expect(combineReplies(parts, [2, 1], { step: 1, combine: 'sum' })).toBe(3);
    expect(combineReplies(parts, ['OK', 'OK'], { step: 1, combine: 'same' })).toBe('OK');
  });

  it.each([
    ['123456789', 12_739],
    ['foo{bar}baz', slotOf('bar')],
    ['{}foo', slotOf(Buffer.from('{}foo'))],
    ['{a', slotOf(Buffer.from('{a'))],
  ])('computes the slot of %s', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});
