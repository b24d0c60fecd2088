import type { Codec } from '../../../core/codec/codec.js';
import type { Reply } from '../../../driver/driver.js';
import type { Decoder, Key, Mode, Shape, SplitRule } from '../command-set.js';
import { toArray, toOkOrNull, unexpected } from '../reply.js';
import { GET, MGET, SET, SET_ONCE } from '../table/strings.js';
import { many, type Many } from './requests.js';
import { ServerCommands } from './server.js';
import { setWords, type SetAndConfirm } from './strings.js';

const IN_ORDER: SplitRule = { step: 1, combine: 'order' };

/** Commands on values of any shape, written and read by the client's codec. */
export abstract class JsonCommands<M extends Mode> extends ServerCommands<M> {
  /** What values are written and read with. */
  protected abstract readonly codec: Codec;

  /**
   * The value, or null when there is none. `T` is what the caller knows to be stored; it is not checked. What the
   * codec cannot read is a `VALKEY_DECODE_FAILED`.
   */
  getJson<T>(key: Key): Shape<M, T | null> {
    return this.request(GET, [key], this.decoded<T>(), this.codec.binary === true);
  }

  /** Writes a value; null when `nx` or `xx` did not let it. What the codec cannot write is a `VALKEY_ENCODE_FAILED`. */
  setJson(key: Key, value: unknown, options: SetAndConfirm = {}): Shape<M, 'OK' | null> {
    return this.guarded(() => {
      const args = [key, this.codec.encode(value), ...setWords(options)];
      return this.request(options.nx === true ? SET_ONCE : SET, args, toOkOrNull);
    });
  }

  /** The values in the order of the keys, null where there is none. Split by slot on a cluster. */
  mgetJson<T>(...keys: Many<Key>): Shape<M, (T | null)[]> {
    const list = many(keys);
    if (list.length === 0) return this.answer<(T | null)[]>([]);
    const decode = this.decoded<T>();
    return this.requestSplit(
      MGET,
      list,
      IN_ORDER,
      (reply, command) => toArray(reply, command).map((item) => decode(item, command)),
      this.codec.binary === true,
    );
  }

  private decoded<T>(): Decoder<T | null> {
    const { codec } = this;
    return (reply: Reply, command: string) => {
      if (reply === null) return null;
      if (typeof reply !== 'string' && !Buffer.isBuffer(reply)) return unexpected(command, 'text, bytes or nil');
      return codec.decode(reply) as T;
    };
  }
}
