import { resolveCaching } from '../../../lib/options/cache-options.js';
import { Cacheable, CacheEvict } from '../../../lib/index.js';
import type { CacheEvent } from '../../../lib/index.js';
import { page } from './pages.js';

const { text } = page('docs/caching.md');

/** Rows of the tables under a heading, as cells. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`\n${heading}\n`);
  const lines = (section.split(/\n##+ /)[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

/** Names in the first cells: `a`, `b`. */
function namesUnder(heading: string): readonly string[] {
  return rowsUnder(heading).flatMap(([names = '']) =>
    Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
  );
}

/** The options somebody knows, as his error tells them. */
function knownTo(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    return /Known here: (.*)\./.exec((error as Error).message)?.[1]?.split(', ') ?? [];
  }
  return [];
}

const unknown = { unheardOf: 1 } as object;
const method = { value: () => Promise.resolve(1) };

describe('the guide to caching', () => {
  it('[CAC-3] has a row for every option of a cache, and for no other', () => {
    const known = knownTo(() => resolveCaching(unknown));
    const near = knownTo(() => resolveCaching({ near: unknown })).map((name) => `near.${name}`);
    expect(known.length).toBeGreaterThan(10);
    expect(namesUnder('## Options of a cache').toSorted()).toEqual([...known, ...near].toSorted());
  });

  it.each(rowsUnder('## Options of a cache').filter(([, value]) => value?.startsWith('`')))(
    '[CAC-3] states the default of %s as it is: %s',
    (name = '', value = '') => {
      const [option = '', part] = name.replaceAll('`', '').split('.');
      const stated: unknown = JSON.parse(value.replaceAll('`', '').replaceAll("'", '"').replaceAll('_', ''));
      const written = { [option]: part === undefined ? stated : { [part]: stated } };
      expect(resolveCaching(written).of('any')).toEqual(resolveCaching().of('any'));
    },
  );

  it('[CAC-3] says none where nothing is set', () => {
    const none = rowsUnder('## Options of a cache').filter(([, value]) => value === 'none');
    expect(none.map(([name]) => name)).toEqual(['`softTimeout`', '`nullTtl`', '`codec`', '`caches`']);
    expect(resolveCaching().of('any')).toMatchObject({ softTimeout: Infinity, nullTtl: undefined });
    expect(resolveCaching().of('any').codec.name).toBe('typed-json');
  });

  it('[CAC-1] has a row for every option of @Cacheable() and @CacheEvict(), and for no other', () => {
    class Catalogue {}
    const ofRead = knownTo(() => Cacheable(unknown)(Catalogue.prototype, 'price', method));
    const ofEviction = knownTo(() => CacheEvict(unknown as { all: true })(Catalogue.prototype, 'price', method));
    expect(namesUnder('### @Cacheable').toSorted()).toEqual(ofRead.toSorted());
    expect(namesUnder('### @CacheEvict').toSorted()).toEqual(ofEviction.toSorted());
  });

  it('[OBS-1] has a row for every kind of event', () => {
    const kinds: Readonly<Record<CacheEvent['kind'], true>> = {
      'near-hit': true,
      hit: true,
      stale: true,
      miss: true,
      load: true,
      'fill-refused': true,
      evict: true,
      invalidate: true,
      clear: true,
      unreadable: true,
      'background-error': true,
      'near-drop': true,
      opened: true,
      'near-on': true,
      'near-off': true,
    };
    expect(namesUnder('## Events').toSorted()).toEqual(Object.keys(kinds).toSorted());
  });
});
