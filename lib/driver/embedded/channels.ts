import type { Delivery, SubscriptionRequest } from '../driver.js';
import { atom, bytesOf, shown, type Atom, type Datum } from './data/bytes.js';
import { glob } from './data/glob.js';

interface Listener {
  readonly request: SubscriptionRequest;
  active: boolean;
}

interface Pattern {
  readonly matches: (name: Atom) => boolean;
  readonly listeners: Set<Listener>;
}

/** Publish and subscribe. Messages go out after the command that published them is over, in their order. */
export class Channels {
  readonly #channels = new Map<Atom, Set<Listener>>();
  readonly #patterns = new Map<Atom, Pattern>();
  #outbox: (() => void)[] = [];

  /** Listens until the returned function is called. */
  subscribe(request: SubscriptionRequest): () => void {
    const listener: Listener = { request, active: true };
    for (const name of request.names) this.#add(request.kind, atom(name), listener);
    return () => {
      if (!listener.active) return;
      listener.active = false;
      for (const name of request.names) this.#remove(request.kind, atom(name), listener);
    };
  }

  /** How many listeners it reaches. */
  publish(channel: Atom, payload: Datum): number {
    const direct = this.#channels.get(channel);
    for (const listener of direct ?? []) this.#send(listener, channel, undefined, payload);
    let receivers = direct?.size ?? 0;
    for (const [pattern, { matches, listeners }] of this.#patterns) {
      if (!matches(channel)) continue;
      for (const listener of listeners) this.#send(listener, channel, pattern, payload);
      receivers += listeners.size;
    }
    return receivers;
  }

  /** Hands over what was published. */
  flush(): void {
    while (this.#outbox.length > 0) {
      const sending = this.#outbox;
      this.#outbox = [];
      for (const send of sending) handOver(send);
    }
  }

  names(matches: (name: Atom) => boolean): Atom[] {
    return [...this.#channels.keys()].filter(matches);
  }

  listeners(channel: Atom): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  patterns(): number {
    return this.#patterns.size;
  }

  close(): void {
    for (const listeners of this.#channels.values()) for (const listener of listeners) listener.active = false;
    for (const { listeners } of this.#patterns.values()) for (const listener of listeners) listener.active = false;
    this.#channels.clear();
    this.#patterns.clear();
    this.#outbox = [];
  }

  #send(listener: Listener, channel: Atom, pattern: Atom | undefined, payload: Datum): void {
    const delivery: Delivery = { channel: shown(channel), pattern, payload: bytesOf(payload) };
    this.#outbox.push(() => {
      if (listener.active) listener.request.deliver(delivery);
    });
  }

  #add(kind: SubscriptionRequest['kind'], name: Atom, listener: Listener): void {
    if (kind === 'pattern') {
      const pattern = this.#patterns.get(name) ?? { matches: glob(name), listeners: new Set() };
      this.#patterns.set(name, pattern);
      pattern.listeners.add(listener);
    } else {
      const listeners = this.#channels.get(name) ?? new Set();
      this.#channels.set(name, listeners);
      listeners.add(listener);
    }
  }

  #remove(kind: SubscriptionRequest['kind'], name: Atom, listener: Listener): void {
    if (kind === 'pattern') {
      const pattern = this.#patterns.get(name);
      if (pattern?.listeners.delete(listener) === true && pattern.listeners.size === 0) this.#patterns.delete(name);
    } else {
      const listeners = this.#channels.get(name);
      if (listeners?.delete(listener) === true && listeners.size === 0) this.#channels.delete(name);
    }
  }
}

/** One listener's mistake must not cost the others their messages. */
function handOver(send: () => void): void {
  try {
    send();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error('A subscriber threw.', { cause: error }));
  }
}
