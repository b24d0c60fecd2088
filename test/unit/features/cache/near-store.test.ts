import { NearStore } from '../../../../lib/features/cache/near-store.js';

const BOUNDS = { maxEntries: 2, maxBytes: 100 };

function opened(): NearStore<{ v: number }> {
  const store = new NearStore<{ v: number }>(BOUNDS);
  store.open();
  return store;
}

describe('[CAC-6] a near store', () => {
  it('keeps what a read has found', () => {
    const store = opened();
    expect(store.admit(store.reserve('a'), { v: 1 }, 1)).toBe(true);
    expect(store.get('a')).toEqual({ v: 1 });
  });

  it('[C6] does not keep a reply that raced an invalidation, a clearing or a closing', () => {
    for (const race of [
      (store: NearStore<{ v: number }>) => store.drop('a'),
      (store: NearStore<{ v: number }>) => store.clear(),
      (store: NearStore<{ v: number }>) => {
        store.close();
        store.open();
      },
    ]) {
      const store = opened();
      const reservation = store.reserve('a');
      race(store);
      expect(store.admit(reservation, { v: 1 }, 1)).toBe(false);
      expect(store.get('a')).toBeUndefined();
    }
  });

  it('does not keep it for a later read that began in time either, when two were under way', () => {
    const store = opened();
    const first = store.reserve('a');
    store.drop('a');
    const second = store.reserve('a');
    expect(store.admit(first, { v: 1 }, 1)).toBe(false);
    expect(store.admit(second, { v: 2 }, 1)).toBe(true);
    expect(store.get('a')).toEqual({ v: 2 });
  });

  it('keeps nothing while it is closed', () => {
    const store = new NearStore<{ v: number }>(BOUNDS);
    expect(store.reserve('a')).toBeUndefined();
    expect(store.admit(undefined, { v: 1 }, 1)).toBe(false);
  });

  it('stays within its bounds, entries and bytes', () => {
    const store = opened();
    for (const name of ['a', 'b', 'c']) store.admit(store.reserve(name), { v: 1 }, 10);
    expect([store.size, store.bytes]).toEqual([2, 20]);
    store.admit(store.reserve('d'), { v: 1 }, 95);
    expect([store.size, store.bytes]).toEqual([1, 95]);
    store.admit(store.reserve('e'), { v: 1 }, 101);
    expect(store.get('e')).toBeUndefined();
  });
});
