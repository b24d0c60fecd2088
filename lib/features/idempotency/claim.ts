import type { CacheClient } from '../../client/cache-client.js';
import { completeWork, releaseClaim, renewClaim } from './idempotency-scripts.js';

/** What a claim is, as the store knows it. */
export interface ClaimTerms {
  readonly record: string;
  readonly token: string;
  readonly fingerprint: string;
  /** Milliseconds. */
  readonly lease: number;
}

/** The right to do a piece of work: renewed while it is kept, over by itself when its holder has died. */
export class Claim {
  readonly #client: CacheClient;
  readonly #terms: ClaimTerms;
  readonly #lost = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** By this process' clock: when the store was asked for what it last granted. */
  #grantedAt: number;
  #isOver = false;

  /** `askedAt`: when the store was asked for it, by `performance.now()`. */
  constructor(client: CacheClient, terms: ClaimTerms, askedAt: number) {
    this.#client = client;
    this.#terms = terms;
    this.#grantedAt = askedAt;
    this.#renewIn(Math.max(0, askedAt + terms.lease / 3 - performance.now()));
  }

  /** Fires when the claim is somebody else's by now, or may be. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Keeps a result, `undefined` for one that cannot be given again. Also where the claim ran out meanwhile, if nobody else
   * has the key.
   *
   * @returns whether it is kept; if not, the key is somebody else's and nothing was written
   */
  async complete(result: string | Buffer | undefined, ttl: number): Promise<boolean> {
    const { record, token, fingerprint } = this.#terms;
    const args = [token, fingerprint, result === undefined ? 'x' : 'd', ttl, result ?? ''];
    this.#end();
    return (await this.#client.run(completeWork, [record], args)) === 1;
  }

  /** Lets the next one do the work. @returns whether the claim was still ours */
  async release(): Promise<boolean> {
    const { record, token } = this.#terms;
    this.#end();
    return (await this.#client.run(releaseClaim, [record], [token])) === 1;
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #renewIn(milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#renew(), milliseconds).unref();
  }

  async #renew(): Promise<void> {
    const { record, token, lease } = this.#terms;
    const askedAt = performance.now();
    let isOurs = true;
    let pause = lease / 3;
    try {
      const client = this.#client.with({ timeout: Math.ceil(lease / 3) });
      isOurs = (await client.run(renewClaim, [record], [token, lease])) === 1;
      this.#grantedAt = askedAt;
    } catch {
      // The store is away, or slow. Until the lease is over nobody else can have the claim: the next time may come in time.
      isOurs = performance.now() - this.#grantedAt < lease;
      pause = lease / 10;
    }
    if (this.#isOver) return;
    if (isOurs) this.#renewIn(pause);
    else this.#lost.abort();
  }
}
