import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheableMany,
  CacheEvict,
  CachePut,
  CACHE_CLIENT,
  CACHE_SERVICE,
  CacheService,
  events,
  ValkeyModule,
  withCacheMode,
} from '../../../lib/index.js';
import type { CacheClient } from '../../../lib/index.js';
import { closeApplications, start } from './application.js';

const embedded = ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent' });

interface Product {
  readonly id: string;
  readonly name: string;
}

/** A database, and what was asked of it. */
class Shelf {
  readonly names = new Map<string, string>();
  readonly asked: (readonly string[])[] = [];

  take(ids: readonly string[]): (Product | undefined)[] {
    this.asked.push(ids);
    return ids.map((id) => {
      const name = this.names.get(id);
      return name === undefined ? undefined : { id, name };
    });
  }
}

@Injectable()
class Products {
  readonly shelf = new Shelf();

  @Cacheable({ key: 'product:{0}', tags: (id: string) => [`product:${id}`] })
  async find(id: string): Promise<Product | undefined> {
    return this.shelf.take([id])[0];
  }

  @Cacheable({ key: 'all', cache: 'lists' })
  async all(): Promise<number> {
    this.shelf.asked.push(['all']);
    return this.shelf.names.size;
  }

  @CacheableMany({ key: 'product:{0}', tags: (id: string) => [`product:${id}`] })
  async findMany(ids: readonly string[]): Promise<(Product | undefined)[]> {
    return this.shelf.take(ids);
  }

  @CacheableMany({ returns: 'map' })
  async byId(ids: readonly { readonly id: string }[], _kind: string): Promise<Map<{ readonly id: string }, Product>> {
    const found = this.shelf.take(ids.map(({ id }) => id));
    return new Map(ids.flatMap((id, index) => (found[index] ? [[id, found[index]]] : [])));
  }

  @CacheableMany({ key: 'few:{0}' })
  async tooFew(ids: readonly string[]): Promise<number[]> {
    return ids.slice(1).map(() => 1);
  }

  @CachePut({ key: (id: string) => `product:${id}`, tags: (id) => [`product:${id}`], unless: (kept) => kept === null })
  async rename(id: string, name: string): Promise<Product | null> {
    if (name === 'fail') throw new Error('refused');
    this.shelf.names.set(id, name);
    return name === '' ? null : { id, name };
  }

  @CacheEvict({ key: 'product:{0}' })
  @CacheEvict({ all: true, cache: 'lists' })
  async remove(id: string, fails = false): Promise<string> {
    if (fails) throw new Error('refused');
    this.shelf.names.delete(id);
    return `${id} is gone`;
  }

  @CacheEvict({ tags: (ids: readonly string[]) => ids.map((id) => `product:${id}`) })
  async removeByTag(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.shelf.names.delete(id);
  }

  @CacheEvict({ keys: (ids: readonly string[]) => ids.map((id) => `product:${id}`), before: true })
  async removeBefore(_ids: readonly string[]): Promise<void> {
    throw new Error('refused');
  }

  @CacheEvict({ key: 'product:{0}', before: true })
  async findAnew(id: string): Promise<Product | undefined> {
    return this.find(id);
  }

  @CacheEvict({ key: 'product:{0}', when: (_id, really: boolean) => really })
  async removeIf(_id: string, _really: boolean): Promise<void> {
    // Nothing to do.
  }

  @CacheEvict({ all: true, cache: 'lists' })
  @CachePut({ key: (id: string) => `product:${id}` })
  async add(id: string, name: string): Promise<Product> {
    this.shelf.names.set(id, name);
    return { id, name };
  }

  @CacheEvict({ key: 'product:{0}', required: true })
  async removeForSure(_id: string): Promise<string> {
    return 'gone';
  }

  @CachePut({ key: (id: string) => `product:${id}`, required: true })
  async renameForSure(id: string): Promise<Product> {
    return { id, name: 'sure' };
  }

  @CacheEvict({ key: (id: string) => id })
  async nameless(_id: string): Promise<void> {
    this.shelf.asked.push(['ran']);
  }
}

let products: Products;
let shelf: Shelf;
let caching: CacheService;
let client: CacheClient;

beforeEach(async () => {
  const application = await start({ imports: [embedded], providers: [Products] });
  products = application.get(Products);
  caching = application.get(CACHE_SERVICE);
  client = application.get(CACHE_CLIENT);
  ({ shelf } = products);
  for (const id of ['a', 'b', 'c']) shelf.names.set(id, id.toUpperCase());
});
afterEach(closeApplications);

/** Codes of failures nobody was told of while `work` ran. */
async function failures(work: () => Promise<unknown>): Promise<unknown[]> {
  const codes: unknown[] = [];
  const stop = events.cache.subscribe((event) => {
    if (event.kind === 'background-error') codes.push(event.code);
  });
  await work().finally(stop);
  return codes;
}

describe('[CAC-7] @CacheableMany()', () => {
  it('calls the method once, with what is missing, and keeps the order', async () => {
    await products.find('b');
    shelf.asked.length = 0;

    expect(await products.findMany(['c', 'b', 'a', 'c', 'x'])).toEqual([
      { id: 'c', name: 'C' },
      { id: 'b', name: 'B' },
      { id: 'a', name: 'A' },
      { id: 'c', name: 'C' },
      undefined,
    ]);
    expect(shelf.asked).toEqual([['c', 'a', 'x']]);
    expect(await products.findMany(['x', 'a', 'c'])).toEqual([
      undefined,
      { id: 'a', name: 'A' },
      { id: 'c', name: 'C' },
    ]);
    expect(await products.find('a')).toEqual({ id: 'a', name: 'A' });
    expect(await products.findMany([])).toEqual([]);
    expect(shelf.asked).toHaveLength(1);
  });

  it('has tags for each item', async () => {
    await products.findMany(['a', 'b']);
    await caching.idle();
    await caching.invalidateTags('product:a');
    await products.findMany(['a', 'b']);
    expect(shelf.asked).toEqual([['a', 'b'], ['a']]);
  });

  it('gives a Map by item, in which what is not there is not there', async () => {
    const [a, b, x] = [{ id: 'a' }, { id: 'b' }, { id: 'x' }];
    const found = new Map([[a, { id: 'a', name: 'A' }]]);
    expect(await products.byId([a, x], 'k')).toEqual(found);
    expect(await products.byId([a, x], 'k')).toEqual(found);
    expect(shelf.asked).toEqual([['a', 'x']]);
    expect([...(await products.byId([b, { id: 'a' }], 'k')).keys()]).toEqual([b, { id: 'a' }]);
    expect(shelf.asked.at(-1)).toEqual(['b']);
    await products.byId([a], 'other');
    expect(shelf.asked.at(-1)).toEqual(['a']);
  });

  it('[CAC-4] calls it for all items on bypass and refresh', async () => {
    await products.findMany(['a']);
    await withCacheMode('refresh', () => products.findMany(['a', 'b']));
    await withCacheMode('bypass', () => products.findMany(['c', 'a']));
    await products.findMany(['a', 'b']);
    expect(shelf.asked).toEqual([['a'], ['a', 'b'], ['c', 'a']]);
  });

  it('refuses values that cannot be told to belong to which item', async () => {
    await expect(products.tooFew(['a', 'b'])).rejects.toThrow('Products.tooFew gave 1 values for 2 items.');
    await expect(products.findMany('a' as never)).rejects.toThrow(
      'The first argument of Products.findMany must be an array of items.',
    );
  });

  it('rejects for all when the method fails, and for a wrong key before anything is loaded', async () => {
    breakDown(shelf);
    await expect(products.findMany(['a', 'b'])).rejects.toThrow('shelf is broken');
    @Injectable()
    class Keyed {
      calls = 0;

      @CacheableMany({ key: (id: string) => id })
      async find(ids: readonly string[]): Promise<readonly string[]> {
        this.calls += 1;
        return ids;
      }
    }
    const keyed = (await start({ imports: [embedded], providers: [Keyed] })).get(Keyed);
    await expect(keyed.find(['a', ''])).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
    expect(await keyed.find(['a'])).toEqual(['a']);
    expect(keyed.calls).toBe(1);
  });

  it('just runs on an instance made with new', async () => {
    const own = new Products();
    await own.findMany(['a']);
    await own.findMany(['a']);
    expect(own.shelf.asked).toEqual([['a'], ['a']]);
  });
});

describe('[CAC-1] @CachePut()', () => {
  it('runs each time, and keeps the result for whoever reads', async () => {
    await products.find('a');
    expect(await products.rename('a', 'new')).toEqual({ id: 'a', name: 'new' });
    expect(await products.find('a')).toEqual({ id: 'a', name: 'new' });
    expect(shelf.asked).toEqual([['a']]);
    await caching.invalidateTags('product:a');
    await products.find('a');
    expect(shelf.asked).toHaveLength(2);
  });

  it('removes the old entry where the new result is not to be kept', async () => {
    await products.find('a');
    await products.rename('a', '');
    expect(await products.find('a')).toEqual({ id: 'a', name: '' });
    expect(shelf.asked).toHaveLength(2);
  });

  it('changes nothing when the method fails', async () => {
    await products.find('a');
    await caching.idle();
    await expect(products.rename('a', 'fail')).rejects.toThrow('refused');
    expect(await products.find('a')).toEqual({ id: 'a', name: 'A' });
  });
});

describe('[CAC-1] @CacheEvict()', () => {
  beforeEach(async () => {
    await Promise.all([products.find('a'), products.find('b'), products.all()]);
    await caching.idle();
    shelf.asked.length = 0;
  });

  it('removes an entry and a whole cache, both on one method', async () => {
    expect(await products.remove('a')).toBe('a is gone');
    expect([await products.find('a'), await products.all()]).toEqual([undefined, 2]);
    await products.find('b');
    expect(shelf.asked).toEqual([['a'], ['all']]);
  });

  it('removes by tags, beside what carries others', async () => {
    await products.removeByTag(['a', 'c']);
    await products.find('a');
    await products.find('b');
    expect(shelf.asked).toEqual([['a']]);
  });

  it('removes nothing when the method fails, unless it is to happen before', async () => {
    await expect(products.remove('a', true)).rejects.toThrow('refused');
    await products.find('a');
    expect(shelf.asked).toEqual([]);
    await expect(products.removeBefore(['a', 'b'])).rejects.toThrow('refused');
    await products.find('a');
    expect(shelf.asked).toEqual([['a']]);
  });

  it('keeps what is stored while the method runs, when it removes before', async () => {
    await products.findAnew('a');
    await products.find('a');
    expect(shelf.asked).toEqual([['a']]);
  });

  it('removes nothing when `when` says no', async () => {
    await products.removeIf('a', false);
    await products.find('a');
    expect(shelf.asked).toEqual([]);
    await products.removeIf('a', true);
    await products.find('a');
    expect(shelf.asked).toEqual([['a']]);
  });

  it('goes together with @CachePut()', async () => {
    await products.add('d', 'D');
    expect([await products.find('d'), await products.all()]).toEqual([{ id: 'd', name: 'D' }, 4]);
    expect(shelf.asked).toEqual([['all']]);
  });

  it('refuses a key that is none before the method runs', async () => {
    await expect(products.nameless('')).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
    expect(shelf.asked).toEqual([]);
  });

  it('just runs on an instance made with new', async () => {
    await expect(new Products().remove('a')).resolves.toBe('a is gone');
  });
});

describe('[C3] with the store away', () => {
  it('all methods run once and give their results; a failure is an event', async () => {
    await client.close();
    const lost = await failures(async () => {
      expect(await products.remove('b')).toBe('b is gone');
      expect(await products.rename('a', 'new')).toEqual({ id: 'a', name: 'new' });
      expect(await products.find('a')).toEqual({ id: 'a', name: 'new' });
      expect(await products.findMany(['b', 'c'])).toHaveLength(2);
      await products.removeByTag(['c']);
    });
    expect(shelf.asked).toEqual([['a'], ['b', 'c']]);
    expect(new Set(lost)).toEqual(new Set(['VALKEY_CLIENT_CLOSED']));
  });

  it('those that are required to remove something reject, after the method has run', async () => {
    await client.close();
    await expect(products.removeForSure('a')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    await expect(products.renameForSure('a')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
  });
});

describe('[CAC-1] @CacheEvict() and @CachePut() refuse, when the class is defined,', () => {
  const method = { value: () => Promise.resolve(1) };
  class Catalogue {}

  it.each<[string, object, string]>([
    ['nothing to remove', {}, 'must say what to remove: one of key, keys, tags and all: true, not 0 of them.'],
    ['two things at once', { key: 'a', all: true }, 'not 2 of them. For several put it there several times.'],
    ['all: false', { all: false }, '- all is false: it must be true, or left out.'],
    ['an unknown option', { key: 'a', ttl: 5 }, '- ttl is not an option.'],
    ['wrong keys', { keys: 'a' }, '- keys is "a": it must be a list of texts that are not empty, or a function.'],
    ['wrong flags', { key: 'a', before: 1, required: 'yes' }, '- before is 1: it must be true or false.'],
  ])('%s', (_what, options, text) => {
    const decorate = (): void => CacheEvict(options as { all: true })(Catalogue.prototype, 'price', method);
    expect(decorate).toThrow(text);
  });

  it('a put without key', () => {
    const decorate = (): void => CachePut({} as { key: string })(Catalogue.prototype, 'price', method);
    expect(decorate).toThrow("- key is null: it must be a function or a template such as 'product:{0}'.");
  });
});

function breakDown(broken: Shelf): void {
  broken.take = () => {
    throw new Error('shelf is broken');
  };
}
