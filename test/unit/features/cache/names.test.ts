import { slotOf } from '../../../../lib/core/slot.js';
import {
  entryName,
  epochName,
  leaseName,
  readName,
  spaceName,
  storedKey,
  tagName,
} from '../../../../lib/features/cache/names.js';

const KEYS = ['a', '42', '}', '{', '{}', '{}x', 'a}!lease', '!lease', ':', '*[?]', 'a b\r\n\0', 'ключ', '\u{1f600}'];

describe('names of a cache', () => {
  it('[CAC-2] share a slot with the lease, whatever the key is', () => {
    for (const key of KEYS) {
      const entry = entryName(spaceName('products', '1'), key);
      expect(slotOf(leaseName(entry))).toBe(slotOf(entry));
    }
  });

  it('can be read back, and no two are alike', () => {
    const seen = new Set<string>();
    for (const cache of ['user', 'users']) {
      const space = spaceName(cache, '1');
      for (const key of KEYS) {
        const entry = entryName(space, key);
        expect(readName(entry)).toEqual({ kind: 'entry', space, key });
        expect(readName(leaseName(entry))).toEqual({ kind: 'lease', space, key });
        seen.add(entry).add(leaseName(entry));
      }
    }
    expect(seen.size).toBe(2 * 2 * KEYS.length);
    expect(readName(tagName('t'))).toEqual({ kind: 'generation' });
    expect(readName(epochName(3))).toEqual({ kind: 'generation' });
    expect(readName('cache:')).toBeUndefined();
    expect(readName('cache:x{:y')).toBeUndefined();
  });

  it('[CAC-2] are hashed when they are long, and refused when they are none', () => {
    expect(storedKey('k'.repeat(512))).toBe('k'.repeat(512));
    expect(storedKey('k'.repeat(513))).toMatch(/^sha256:[\w-]{43}$/);
    expect(storedKey('k'.repeat(513))).not.toBe(storedKey('k'.repeat(514)));
    for (const bad of ['', undefined, 5]) {
      expect(() => storedKey(bad as string)).toThrow(expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }));
    }
  });
});
