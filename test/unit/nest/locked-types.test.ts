import { Injectable } from '@nestjs/common';
import { Locked } from '../../../lib/index.js';

@Injectable()
export class Fitting {
  private readonly tenant = 'acme';

  @Locked({ key: (id: string) => `order:${id}`, ttl: '10s', wait: '2s', error: ({ message }) => new Error(message) })
  async asDesigned(_id: string): Promise<void> {
    // Nothing to do.
  }

  @Locked({ key: (from: string, to: string) => [`account:${from}`, `account:${to}`], extend: false, drift: 0.02 })
  async several(_from: string, _to: string, _amount: number): Promise<number> {
    return 1;
  }

  @Locked({
    key(this: Fitting, id: number) {
      return `${this.tenant}:${id}`;
    },
  })
  async withThis(_id: number): Promise<void> {
    // Nothing to do.
  }

  @Locked({ key: 'order:{0.id}', client: 'locks' })
  async template(_order: { readonly id: string }): Promise<void> {
    // Nothing to do.
  }

  @Locked({ key: ['account:{0}', 'account:{1}'] })
  async templates(_from: string, _to: string): Promise<void> {
    // Nothing to do.
  }
}

describe('what does not compile', () => {
  it('[LCK-1] refuses functions that do not fit the method, and options there are not', () => {
    class Unfitting {
      // @ts-expect-error the key asks for another argument than the method has
      @Locked({ key: (id: number) => String(id) })
      async wrongArgument(_id: string): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error the key asks for more arguments than the method has
      @Locked({ key: (id: string, more: string) => id + more })
      async tooMany(_id: string): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error the argument may be missing
      @Locked({ key: (id: string) => id })
      async optional(_id?: string): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error a name is text
      @Locked({ key: (id: number) => id })
      async noText(_id: number): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error the key belongs to another class
      @Locked({
        key(this: Fitting, id: string) {
          return id;
        },
      })
      async wrongThis(_id: string): Promise<void> {
        // Nothing to do.
      }

      // @ts-expect-error the method gives no promise
      @Locked({ key: 'order' })
      immediate(): number {
        return 1;
      }

      // @ts-expect-error an error has to be made
      @Locked({ key: 'order', error: () => 'busy' })
      async noError(): Promise<void> {
        // Nothing to do.
      }
    }
    // @ts-expect-error what is locked has to be said
    expect(() => Locked({})(Unfitting.prototype, 'noError', descriptor())).toThrow('has no key');
    // @ts-expect-error there is no such option
    expect(() => Locked({ key: 'a', retries: 3 })(Unfitting.prototype, 'noError', descriptor())).toThrow('retries');
  });
});

function descriptor(): TypedPropertyDescriptor<() => Promise<void>> {
  return { value: () => Promise.resolve() };
}
