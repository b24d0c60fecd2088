import { toMilliseconds, type Duration } from '../../../core/duration.js';
import type { Reply } from '../../../driver/driver.js';
import type { Key, Mode, Shape } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { toArray, toText, toTextOrNull, toTexts, unexpected } from '../reply.js';
import { BLMOVE, BLMPOP, BLPOP, BRPOP, LMPOP } from '../table/collections.js';
import { ListCommands, type Side } from './lists.js';

/** How long to wait. A blocking command gets a connection of its own, so it holds up nobody else. */
export interface WaitOptions {
  /** `0` waits for ever; a `signal` of `with()` still ends it. */
  readonly timeout: Duration;
}

/** An element, and the list it was taken from. */
export interface Popped {
  readonly key: string;
  readonly value: string;
}

/** Elements, and the list they were taken from. */
export interface PoppedMany {
  readonly key: string;
  readonly values: string[];
}

/** Commands that take from one of several lists, or wait until they can. */
export abstract class BlockingListCommands<M extends Mode> extends ListCommands<M> {
  /** Takes up to `count` (default 1) from one end of the first list that has any; null when none has. */
  lmpop(keys: readonly Key[], from: Side, options: { readonly count?: number } = {}): Shape<M, PoppedMany | null> {
    if (keys.length === 0) return this.answer<PoppedMany | null>(null);
    const args = [keys.length, ...keys, from.toUpperCase(), 'COUNT', options.count ?? 1];
    return this.request(LMPOP, args, (reply, command) => this.toPoppedMany(reply, command));
  }

  /** Takes from the head of the first list that has something, waiting for it; null when the time is over. */
  blpop(keys: Key | readonly Key[], options: WaitOptions): Shape<M, Popped | null> {
    return this.awaited(BLPOP, keys, options);
  }

  /** Takes from the tail of the first list that has something, waiting for it; null when the time is over. */
  brpop(keys: Key | readonly Key[], options: WaitOptions): Shape<M, Popped | null> {
    return this.awaited(BRPOP, keys, options);
  }

  /** Like `lmove`, waiting for an element; null when the time is over. */
  blmove(source: Key, destination: Key, from: Side, to: Side, options: WaitOptions): Shape<M, string | null> {
    return this.guarded(() => {
      const timeout = waitSeconds('BLMOVE', options);
      return this.request(BLMOVE, [source, destination, from.toUpperCase(), to.toUpperCase(), timeout], toTextOrNull);
    });
  }

  /** Like `lmpop`, waiting for an element; null when the time is over. */
  blmpop(
    keys: readonly Key[],
    from: Side,
    options: WaitOptions & { readonly count?: number },
  ): Shape<M, PoppedMany | null> {
    return this.guarded(() => {
      if (keys.length === 0) return this.answer<PoppedMany | null>(null);
      const args = [
        waitSeconds('BLMPOP', options),
        keys.length,
        ...keys,
        from.toUpperCase(),
        'COUNT',
        options.count ?? 1,
      ];
      return this.request(BLMPOP, args, (reply, command) => this.toPoppedMany(reply, command));
    });
  }

  private awaited(
    description: CommandDescription,
    keys: Key | readonly Key[],
    options: WaitOptions,
  ): Shape<M, Popped | null> {
    return this.guarded(() => {
      const list = listOf(keys);
      if (list.length === 0) return this.answer<Popped | null>(null);
      return this.request(description, [...list, waitSeconds(description.name, options)], (reply, command) => {
        if (reply === null) return null;
        const [key, value] = toTexts(reply, command);
        if (key === undefined || value === undefined) return unexpected(command, 'a key and an element');
        return { key: this.stripPrefix(key), value };
      });
    });
  }

  private toPoppedMany(reply: Reply, command: string): PoppedMany | null {
    if (reply === null) return null;
    const [key = null, values = null] = toArray(reply, command);
    return { key: this.stripPrefix(toText(key, command)), values: toTexts(values, command) };
  }
}

/** One key or several, as a list. */
export function listOf(keys: Key | readonly Key[]): readonly Key[] {
  return typeof keys === 'string' || Buffer.isBuffer(keys) ? [keys] : keys;
}

/** The timeout of a blocking command in seconds, which is its unit on the wire. */
export function waitSeconds(command: string, options: WaitOptions): number {
  return toMilliseconds(options.timeout, `${command}: timeout`) / 1_000;
}
