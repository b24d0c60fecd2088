import { isValkeyError } from '../core/errors.js';
import { typedJson } from '../core/codec/typed-json.js';

/** What Keyv stores under a key. */
export interface KeyvData<Value> {
  value?: Value;
  /** Milliseconds since the epoch. */
  expires?: number | undefined;
}

/** How Keyv writes and reads values. */
export interface TypedValues {
  serialize<Value>(data: KeyvData<Value>): string;
  deserialize<Value>(text: string): KeyvData<Value> | undefined;
}

/**
 * Lets Keyv give back what it was given: Date, Map, Set, BigInt, Buffer, undefined, NaN, which its own JSON changes or
 * refuses. What cannot be read is a miss instead of an error.
 *
 * @example
 * ```ts
 * const cache = new Keyv({ store: new KeyvValkey(client), ...typedValues });
 * ```
 */
export const typedValues: TypedValues = {
  serialize: (data) => typedJson.encode(data) as string,
  deserialize: <Value>(text: string): KeyvData<Value> | undefined => {
    try {
      const data = typedJson.decode(text);
      return typeof data === 'object' && data !== null ? data : undefined;
    } catch (error) {
      if (isValkeyError(error, 'VALKEY_DECODE_FAILED')) return undefined;
      throw error;
    }
  },
};
