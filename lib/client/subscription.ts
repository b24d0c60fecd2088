import { toNames } from './arguments.js';
import { ArgumentError, ClientClosedError, DeadlineError, ValkeyError } from '../core/errors.js';
import type { Delivery, SubscriptionRequest } from '../driver/driver.js';
import { escapeGlob } from './commands/prefix.js';
import { strip } from './commands/strip.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import type { Abortable, Scope } from './scope.js';

/** What to do with a message that finds the buffer full: the reader is slower than the channel. */
export type Overflow = 'drop-oldest' | 'drop-newest' | 'fail';

/** How a subscription buffers. */
export interface SubscribeOptions {
  /** Messages kept for a reader that is busy. Default 1000. */
  readonly buffer?: number;
  /** Default `drop-oldest`; `fail` ends the iteration with an error. */
  readonly overflow?: Overflow;
}

/** One message. */
export interface Message {
  /** The channel, without the key prefix. */
  readonly channel: string;
  /** The pattern that matched, for a pattern subscription. */
  readonly pattern: string | undefined;
  /** The payload as text. */
  readonly text: string;
  /** The payload's bytes. */
  readonly payload: Buffer;
}

/** Messages as they come, until closed. Iterate over it once; breaking out of the loop closes it. */
export class Subscription implements AsyncIterableIterator<Message, undefined>, Abortable {
  readonly #limit: number;
  readonly #overflow: Overflow;
  readonly #onClose: (subscription: Subscription) => Promise<void>;
  readonly #buffer: Message[] = [];
  readonly #readers: {
    readonly resolve: (result: IteratorResult<Message, undefined>) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #dropped = 0;
  #failure: unknown;
  #closed = false;

  constructor(options: SubscribeOptions, onClose: (subscription: Subscription) => Promise<void>) {
    const { buffer = 1000, overflow = 'drop-oldest' } = options;
    if (!Number.isSafeInteger(buffer) || buffer < 1) {
      throw new ArgumentError('subscribe(): buffer must be a whole number of at least 1.', { subject: 'buffer' });
    }
    if (!['drop-oldest', 'drop-newest', 'fail'].includes(overflow)) {
      throw new ArgumentError("subscribe(): overflow must be 'drop-oldest', 'drop-newest' or 'fail'.", {
        subject: 'overflow',
      });
    }
    this.#limit = buffer;
    this.#overflow = overflow;
    this.#onClose = onClose;
  }

  /** Messages that were dropped because the buffer was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The next message, as soon as there is one; `done` once it is closed and everything buffered was read. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.#buffer.shift();
    if (message) return Promise.resolve({ done: false, value: message });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Ends it: called by `break` and `return` in a loop. */
  async return(): Promise<IteratorResult<Message, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Unsubscribes. A loop over it ends after what is buffered. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined });
    await this.#onClose(this);
  }

  /**
   * Ends it with a reason of the caller's own, which the loop over it throws.
   *
   * @internal
   */
  abort(reason: unknown): void {
    this.#failure = reason;
    this.#buffer.length = 0;
    for (const { reject } of this.#readers.splice(0)) reject(reason);
    void this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal */
  push(message: Message): void {
    if (this.#closed) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: message });
    else if (this.#buffer.length < this.#limit) this.#buffer.push(message);
    else this.#spill(message);
  }

  #spill(message: Message): void {
    this.#dropped += 1;
    if (this.#overflow === 'drop-newest') return;
    this.#buffer.shift();
    this.#buffer.push(message);
    if (this.#overflow !== 'fail') return;
    this.#failure = new ValkeyError(
      'VALKEY_SUBSCRIPTION_OVERFLOW',
      `More than ${this.#limit} messages waited for the reader of a subscription. Read faster, raise buffer, or choose another overflow.`,
      { subject: message.channel },
    );
    this.#buffer.length = 0;
    void this.close();
  }
}

/** Opens subscriptions of one client and closes what is left of them with it. */
export class Subscriptions {
  readonly #dispatcher: Dispatching;
  readonly #open: Set<Subscription>;

  constructor(dispatcher: Dispatching, open = new Set<Subscription>()) {
    this.#dispatcher = dispatcher;
    this.#open = open;
  }

  /** Those of the same client, by the names `dispatcher` gives them. */
  through(dispatcher: Dispatching): Subscriptions {
    return new Subscriptions(dispatcher, this.#open);
  }

  async open(
    kind: SubscriptionRequest['kind'],
    names: readonly string[],
    options: SubscribeOptions,
    scope: Scope,
  ): Promise<Subscription> {
    toNames('subscribe()', 'channels', names);
    if (names.length === 0)
      throw new ArgumentError('subscribe(): name at least one channel.', { subject: 'SUBSCRIBE' });
    if (this.#dispatcher.closed) throw new ClientClosedError();
    if (scope.watch?.aborted) throw scope.watch.reason;
    const { keyPrefix } = this.#dispatcher.settings;
    let stop: (() => Promise<void>) | undefined;
    const subscription = new Subscription(options, async (closed) => {
      this.#open.delete(closed);
      scope.watch?.remove(closed);
      await stop?.();
    });
    const deliver = ({ channel, pattern, payload }: Delivery): void => {
      subscription.push({
        channel: strip(channel, keyPrefix) as string,
        pattern: pattern === undefined ? undefined : (strip(pattern, escapeGlob(keyPrefix)) as string),
        text: payload.toString(),
        payload,
      });
    };
    const prefix = kind === 'pattern' ? escapeGlob(keyPrefix) : keyPrefix;
    this.#open.add(subscription);
    try {
      const request = { kind, names: names.map((name) => prefix + name), deliver };
      stop = await this.#inTime(this.#dispatcher.driver.subscribe(request), scope);
    } catch (error) {
      this.#open.delete(subscription);
      throw error;
    }
    scope.watch?.add(subscription);
    return subscription;
  }

  /** Waits for the server's confirmation, but not beyond the deadline or signal of the scope. */
  #inTime(subscribed: Promise<() => Promise<void>>, { timeout, watch }: Scope): Promise<() => Promise<void>> {
    return new Promise((resolve, reject) => {
      const limit = timeout ?? this.#dispatcher.settings.timeouts.read;
      const end = (reason: unknown): void => {
        clearTimeout(timer);
        watch?.remove(abortable);
        reject(reason);
        // What is confirmed after all has nobody to listen any more.
        subscribed.then((stop) => void stop(), ignore);
      };
      const abortable: Abortable = { abort: end };
      const timer = setTimeout(() => end(new DeadlineError('SUBSCRIBE', limit)), limit);
      watch?.add(abortable);
      subscribed.then(
        (stop) => {
          clearTimeout(timer);
          watch?.remove(abortable);
          resolve(stop);
        },
        (error: unknown) => end(error),
      );
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((subscription) => subscription.close()));
  }
}

function ignore(): void {
  // Told to the caller already.
}
