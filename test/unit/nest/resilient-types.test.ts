import { Injectable } from '@nestjs/common';
import { Resilient, ResiliencePolicy } from '../../../lib/index.js';
import type { ResilientOptions } from '../../../lib/index.js';

const shared = new ResiliencePolicy('prices', { timeout: '1s' });

@Injectable()
export class Fitting {
  private readonly usual: readonly number[] = [1];

  @Resilient({ timeout: '1s' })
  async noFallback(sku: string): Promise<number> {
    return sku.length;
  }

  @Resilient({ preset: 'default', fallback: () => 0 })
  async fewer(sku: string, count: number): Promise<number> {
    return sku.length + count;
  }

  @Resilient({ retry: { attempts: 1 }, fallback: async (_error, sku: string, count: number) => sku.length * count })
  async all(sku: string, count: number): Promise<number> {
    return sku.length + count;
  }

  @Resilient({
    breaker: { ratio: 0.5 },
    fallback(this: Fitting, error) {
      if (error instanceof TypeError) throw error;
      return [...this.usual];
    },
  })
  async withThis(_sku?: string): Promise<number[]> {
    return [];
  }

  @Resilient({ policy: shared, fallback: (_error, _sku, ..._more: string[]) => undefined })
  async many(..._skus: string[]): Promise<string | undefined> {
    return undefined;
  }

  @Resilient({ bulkhead: { inFlight: 1, queue: 0 } })
  static async ofClass(): Promise<void> {
    // Nothing to do.
  }

  @Resilient({ timeout: 5 })
  async generic<T>(value: T): Promise<T> {
    return value;
  }
}

describe('what does not compile', () => {
  it('[RES-8] refuses fallbacks and methods that do not fit, and figures beside a policy', () => {
    class Unfitting {
      // @ts-expect-error the fallback gives another type than the method
      @Resilient({ timeout: '1s', fallback: () => 'none' })
      async wrongResult(): Promise<number> {
        return 1;
      }

      // @ts-expect-error the same, as a promise
      @Resilient({ timeout: '1s', fallback: async () => 'none' })
      async wrongPromise(): Promise<number> {
        return 1;
      }

      // @ts-expect-error the fallback asks for another argument than the method has
      @Resilient({ timeout: '1s', fallback: (_error: unknown, sku: number) => sku })
      async wrongArgument(sku: string): Promise<number> {
        return sku.length;
      }

      // @ts-expect-error the fallback asks for more arguments than the method has
      @Resilient({ timeout: '1s', fallback: (_error: unknown, _sku: string, count: number) => count })
      async tooMany(sku: string): Promise<number> {
        return sku.length;
      }

      // @ts-expect-error the fallback belongs to another class
      @Resilient({
        timeout: '1s',
        fallback(this: Fitting) {
          return 1;
        },
      })
      async wrongThis(): Promise<number> {
        return 1;
      }

      // @ts-expect-error the method gives no promise
      @Resilient({ timeout: '1s' })
      immediate(): number {
        return 1;
      }

      // @ts-expect-error beside a shared policy too the fallback has to fit
      @Resilient({ policy: shared, fallback: () => 1 })
      async besidePolicy(): Promise<string> {
        return '';
      }
    }
    // @ts-expect-error a shared policy has its figures already
    const beside: ResilientOptions = { policy: shared, timeout: '1s' };
    const price: PropertyDescriptor = { value: async () => 1 };
    const decorate = (): void => Resilient(beside)(Unfitting.prototype as never, 'price', price);
    expect(decorate).toThrow('Unfitting.price has a policy, and timeout beside it.');
  });
});
