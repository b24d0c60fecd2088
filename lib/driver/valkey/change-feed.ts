import { ClientClosedError, isValkeyError } from '../../core/errors.js';
import { formatAddress } from '../../options/address.js';
import type { Address } from '../../options/settings.js';
import type { TrackingRequest } from '../driver.js';
import type { SharedPlan } from './plan.js';
import { PrimaryFeed } from './primary-feed.js';

/** What a feed of changes needs to know. */
export interface ChangeFeedPlan {
  readonly connection: SharedPlan;
  /** Who answers for keys at the moment; nobody while that is not known. */
  readonly primaries: () => readonly Address[];
  /** Whether a server that says it is a replica must not be listened to. */
  readonly primaryOnly: boolean;
  /** Called when a server cannot be heard: another one may have its place. */
  readonly onUnreachable: () => void;
}

/**
 * Hears from all primaries which keys change, for all requests of a client. It is covered while each of them has
 * confirmed that it tells; without requests there is no connection.
 */
export class ChangeFeed {
  readonly #plan: ChangeFeedPlan;
  readonly #requests = new Set<TrackingRequest>();
  readonly #feeds = new Map<string, PrimaryFeed>();
  /** What the feeds ask for; all requests lie within. */
  #prefixes: readonly string[] = [];
  #covered = false;
  #closed = false;

  constructor(plan: ChangeFeedPlan) {
    this.#plan = plan;
  }

  /** Tells until the function it gives is called. */
  track(request: TrackingRequest): () => void {
    if (this.#closed) throw new ClientClosedError('CLIENT TRACKING');
    // One request given twice is two.
    const own = { ...request };
    this.#requests.add(own);
    if (!this.#prefixes.some((prefix) => own.prefix.startsWith(prefix))) this.#beginAgain();
    else if (this.#covered) own.covered(true);
    return () => {
      if (this.#requests.delete(own) && this.#requests.size === 0) this.#end();
    };
  }

  /**
   * Who answers for keys may have changed. It has to be called before a new one answers: what is read from it must not be
   * trusted until it has confirmed. Nor may what is still on its way from one who has gone be missed without a word.
   */
  follow(): void {
    if (this.#requests.size === 0) return;
    const wanted = new Map(this.#plan.primaries().map((address) => [formatAddress(address), address]));
    const gone = [...this.#feeds].filter(([id]) => !wanted.has(id));
    const come = [...wanted].filter(([id]) => !this.#feeds.has(id));
    if (gone.length === 0 && come.length === 0) return;
    for (const [id, feed] of gone) {
      this.#feeds.delete(id);
      feed.close();
    }
    for (const [id, address] of come) this.#feeds.set(id, this.#listenTo(address));
    this.#cover(false);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cover(false);
    this.#requests.clear();
    this.#end();
  }

  /** Connections that are subscribed cannot be asked for another prefix, so there are new ones. */
  #beginAgain(): void {
    this.#cover(false);
    this.#end();
    this.#prefixes = outermost([...this.#requests].map(({ prefix }) => prefix));
    this.follow();
  }

  #end(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.#prefixes = [];
    this.#covered = false;
  }

  #listenTo(address: Address): PrimaryFeed {
    const { connection, primaryOnly, onUnreachable } = this.#plan;
    return new PrimaryFeed(
      { connection, address, prefixes: this.#prefixes, primaryOnly },
      {
        onConfirmed: () => this.#look(),
        onLost: (reason) => {
          this.#look();
          if (isValkeyError(reason, 'VALKEY_CONNECTION_FAILED')) onUnreachable();
        },
        onChange: (keys) => {
          if (keys) this.#tell(keys);
          else if (this.#covered) {
            this.#cover(false);
            this.#look();
          }
        },
      },
    );
  }

  #tell(keys: readonly Buffer[]): void {
    if (!this.#covered) return;
    for (const bytes of keys) {
      const key = bytes.toString();
      for (const { prefix, changed } of this.#requests) if (key.startsWith(prefix)) changed(key);
    }
  }

  #look(): void {
    const feeds = [...this.#feeds.values()];
    this.#cover(feeds.length > 0 && feeds.every(({ confirmed }) => confirmed));
  }

  #cover(covered: boolean): void {
    if (this.#covered === covered) return;
    this.#covered = covered;
    for (const request of this.#requests) {
      request.covered(covered);
      // Who hears it may have changed it.
      if (this.#covered !== covered) return;
    }
  }
}

/** Those that do not begin with another one: the server refuses what overlaps. */
function outermost(prefixes: readonly string[]): readonly string[] {
  const distinct = [...new Set(prefixes)];
  return distinct.filter((prefix) => !distinct.some((other) => other !== prefix && prefix.startsWith(other)));
}
