import { Injectable } from '@nestjs/common';
import { Cacheable, CacheableMany, CacheEvict, CachePut } from '../../../lib/index.js';

interface Product {
  readonly id: string;
  readonly price: number;
}

const product: Product = { id: 'a', price: 1 };

@Injectable()
export class Fitting {
  private readonly tenant = 'acme';

  @Cacheable({
    key: (id: string) => `product:${id}`,
    ttl: '5m',
    staleFor: '1h',
    tags: (id) => [`product:${id}`, 'all'],
  })
  async asDesigned(_id: string): Promise<Product> {
    return product;
  }

  @Cacheable()
  async bare(): Promise<Product> {
    return product;
  }

  // Each function asks for as many arguments as it needs.
  @Cacheable({
    key: (id: string) => id,
    when: (_id: string, fresh?: boolean) => !fresh,
    ttl: (found: Product | null) => (found ? '5m' : '10s'),
    tagsFrom: (found: Product | null, id: string) => [found?.id ?? id],
    unless: (found: Product | null) => found?.price === 0,
    mode: (_id, fresh) => (fresh ? 'refresh' : 'use'),
  })
  async severalArities(_id: string, _fresh?: boolean): Promise<Product | null> {
    return product;
  }

  @Cacheable({
    key(this: Fitting, id: number) {
      return `${this.tenant}:${id}`;
    },
  })
  async withThis(_id: number): Promise<Product> {
    return product;
  }

  @Cacheable({ key: (first: string, second: string) => `${first}:${second}` })
  async rest(..._names: string[]): Promise<number> {
    return 1;
  }

  @Cacheable({ key: (kind: string, ...ids: number[]) => `${kind}:${ids.join()}` })
  async headAndRest(_kind: string, ..._ids: number[]): Promise<number> {
    return 1;
  }

  @Cacheable({ key: (filter: { readonly page: number }) => String(filter.page) })
  async wider(_filter: { readonly page: number; readonly size: number }): Promise<number> {
    return 1;
  }

  @Cacheable({ key: '{0}' })
  async generic<T extends string>(value: T): Promise<T> {
    return value;
  }

  @CacheableMany({
    key: (id: string, currency: string) => `${id}:${currency}`,
    ttl: (price: number) => price,
    tags: (id) => [id],
    when: (ids) => ids.length < 100,
  })
  async prices(ids: readonly string[], _currency: string): Promise<number[]> {
    return ids.map(() => 1);
  }

  @CacheableMany({ returns: 'map', unless: (found: Product) => found.price === 0 })
  async byItem(ids: readonly string[]): Promise<ReadonlyMap<string, Product>> {
    return new Map(ids.map((id) => [id, product]));
  }

  @CacheEvict({ tags: (changed: Product) => [changed.id] })
  @CacheEvict({ key: (changed: Product) => changed.id, cache: 'lists' })
  @CacheEvict({ keys: ['a', 'b'], before: true })
  @CacheEvict({ all: true, required: true })
  @CachePut({ key: (changed: Product) => changed.id, unless: (kept: Product) => kept.price === 0 })
  async update(changed: Product): Promise<Product> {
    return changed;
  }
}

describe('what does not compile', () => {
  it('[CAC-1] refuses functions that do not fit the method, and options that do not go together', () => {
    class Unfitting {
      // @ts-expect-error the key asks for another argument than the method has
      @Cacheable({ key: (id: number) => String(id) })
      async wrongArgument(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the key asks for more arguments than the method has
      @Cacheable({ key: (id: string, more: string) => id + more })
      async tooMany(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the argument may be missing
      @Cacheable({ key: (id: string) => id })
      async optional(_id?: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error tags ask for another argument
      @Cacheable({ key: 'p', tags: (id: number) => [String(id)] })
      async wrongTags(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the condition asks for another argument
      @Cacheable({ key: 'p', when: (fresh: boolean) => fresh })
      async wrongCondition(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the result is another
      @Cacheable({ key: 'p', unless: (found: string) => found === '' })
      async wrongResult(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the ttl follows from another result
      @Cacheable({ key: 'p', ttl: (found: number) => found })
      async wrongTtl(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the key belongs to another class
      @Cacheable({
        key(this: Fitting, id: string) {
          return id;
        },
      })
      async wrongThis(_id: string): Promise<Product> {
        return product;
      }

      // @ts-expect-error the method gives no promise
      @Cacheable({ key: 'p' })
      immediate(_id: string): Product {
        return product;
      }

      // @ts-expect-error a key is text
      @Cacheable({ key: (id: number) => id })
      async noText(_id: number): Promise<Product> {
        return product;
      }

      // @ts-expect-error the first parameter is no array
      @CacheableMany({ key: (id: string) => id })
      async noItems(_id: string): Promise<Product[]> {
        return [];
      }

      // @ts-expect-error the items are others
      @CacheableMany({ key: (id: number) => String(id) })
      async otherItems(_ids: readonly string[]): Promise<Product[]> {
        return [];
      }

      // @ts-expect-error a Map has to be announced
      @CacheableMany({ key: (id: string) => id })
      async unannounced(_ids: readonly string[]): Promise<Map<string, Product>> {
        return new Map();
      }

      // @ts-expect-error the Map is by something else
      @CacheableMany({ key: (id: string) => id, returns: 'map' })
      async otherMap(_ids: readonly string[]): Promise<Map<number, Product>> {
        return new Map();
      }

      // @ts-expect-error the tags ask for another argument
      @CacheEvict({ tags: (id: number) => [String(id)] })
      async wrongEviction(_id: string): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error the key asks for another argument
      @CachePut({ key: (id: number) => String(id) })
      async wrongPut(_id: string): Promise<Product> {
        return product;
      }
    }
    // @ts-expect-error one thing at a time
    expect(() => CacheEvict({ key: 'p', all: true })(Unfitting.prototype, 'wrongPut', descriptor())).toThrow('not 2');
    // @ts-expect-error something has to be removed
    expect(() => CacheEvict({ before: true })(Unfitting.prototype, 'wrongPut', descriptor())).toThrow('not 0 of them');
  });
});

function descriptor(): TypedPropertyDescriptor<() => Promise<void>> {
  return { value: () => Promise.resolve() };
}
