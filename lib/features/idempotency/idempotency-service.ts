import { randomUUID } from 'node:crypto';
import type { CacheClient } from '../../client/cache-client.js';
import type { Codec } from '../../core/codec/codec.js';
import { typedJson } from '../../core/codec/typed-json.js';
import {
  codeOf,
  ArgumentError,
  DeadlineError,
  IdempotencyInProgressError,
  IdempotencyKeyReusedError,
  IdempotencyNotReplayableError,
  IdempotencyUnavailableError,
} from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { IdempotencyEvent } from '../../core/events.js';
import { storedName } from '../../core/stored-name.js';
import type { Reply } from '../../driver/reply.js';
import { resolveIdempotency } from '../../options/idempotency-options.js';
import type { IdempotencyOptions, IdempotencySettings } from '../../options/idempotency-options.js';
import { Claim } from './claim.js';
import type { ClaimTerms } from './claim.js';
import { fingerprint } from './fingerprint.js';
import { claimWork, releaseClaim } from './idempotency-scripts.js';

/** Most work is done long before its claim could be over: milliseconds after which to ask again at the latest. */
const SOON = 1_000;

const FINGERPRINT = /^[!-~]{1,256}$/;

/** What the store says to who wants to claim; any other answer is: done before. */
const [CLAIMED, IN_PROGRESS, REUSED] = [0, 1, 2];

/** What the store has said, and when it was asked, by `performance.now()`. */
interface Asked {
  readonly kind: number;
  readonly figure: number | Buffer | undefined;
  readonly askedAt: number;
}

type Tell = (outcome: IdempotencyEvent['outcome'], error?: unknown) => void;

/** How one piece of work is done once. */
export interface RunOptions extends IdempotencyOptions {
  /** Whose key it is: a tenant, a user, a queue. The same key in another scope is another key. Default: none. */
  readonly scope?: string;
  /** What is done, for events and metrics. Default: `'default'`. */
  readonly operation?: string;
  /** How the result is written. Default: typed JSON. */
  readonly codec?: Codec;
}

/** Work whose outcome may be given again. */
export interface Work<T> {
  /** Does it. `lost` fires when the claim is somebody else's by now. */
  readonly run: (lost: AbortSignal) => T | PromiseLike<T>;
  /**
   * What to keep of the outcome; `undefined` to keep nothing, so that a retry does the work again. If it throws, it is kept
   * that the work is done, and no result.
   */
  readonly encode: (outcome: T) => string | Buffer | undefined;
  /** Makes the outcome of what was kept. If it throws, the result counts as not kept. */
  readonly decode: (kept: Buffer) => T;
}

/** Under which key work is done. */
export interface WorkKey {
  readonly key: string;
  readonly scope?: string | undefined;
  /** What tells this work from other work under the same key: 1 to 256 visible ASCII characters, such as a hash. */
  readonly fingerprint: string;
  /** For events. */
  readonly operation: string;
}

/** An outcome, and whether it is an earlier one. */
export interface Performed<T> {
  readonly outcome: T;
  readonly isReplay: boolean;
}

/**
 * Does a piece of work once, however often it is asked for: the first call does it, later ones with the same key get its
 * result. What it promises and what not is in the guide.
 *
 * @example
 * ```ts
 * constructor(@Inject(IDEMPOTENCY_SERVICE) private readonly idempotency: IdempotencyService) {}
 *
 * onMessage(message: Message): Promise<Receipt> {
 *   return this.idempotency.run(message.id, message.body, () => this.bank.transfer(message.body), { scope: 'transfers' });
 * }
 * ```
 */
export class IdempotencyService {
  readonly #client: CacheClient;
  readonly #settings: IdempotencySettings;
  readonly #known = new WeakMap<IdempotencyOptions, IdempotencySettings>();

  /** @throws ConfigurationError with everything that is wrong with `options` */
  constructor(client: CacheClient, options: IdempotencyOptions = {}) {
    this.#client = client;
    this.#settings = resolveIdempotency(options);
  }

  /**
   * Does `work`, or gives the result of the first time. `payload` tells whether it is the same work; its keys may be in
   * any order. What `work` throws is not kept: the next call does it again.
   *
   * @throws IdempotencyInProgressError while another call does it, IdempotencyKeyReusedError when the key was used with
   * another payload, IdempotencyNotReplayableError, and IdempotencyUnavailableError when the store is away
   */
  async run<T>(
    key: string,
    payload: unknown,
    work: (lost: AbortSignal) => T | PromiseLike<T>,
    options: RunOptions = {},
  ): Promise<T> {
    const { scope, operation = 'default', codec = typedJson, ...own } = options;
    const performed = await this.perform<T>(
      { key, scope, operation, fingerprint: fingerprint(payload) },
      {
        run: work,
        encode: (outcome) => codec.encode(outcome),
        decode: (kept) => codec.decode(codec.binary ? kept : kept.toString('utf8')) as T,
      },
      Object.keys(own).length > 0 ? own : undefined,
    );
    return performed.outcome;
  }

  /** The same for outcomes that are more than a result, such as a response with its status. See {@link IdempotencyService.run}. */
  async perform<T>(
    { key, scope, operation, fingerprint: print }: WorkKey,
    work: Work<T>,
    options?: IdempotencyOptions,
  ): Promise<Performed<T>> {
    const settings = this.#settingsOf(options);
    const terms = { record: recordName(key, scope), token: randomUUID(), fingerprint: checked(print) };
    const { lease } = settings;
    const tell: Tell = (outcome, error) => this.#publish(operation, outcome, error);
    let asked: Asked;
    try {
      asked = await this.#claim({ ...terms, lease });
    } catch (error) {
      if (settings.onStoreDown === 'refuse') {
        tell('unavailable', error);
        throw new IdempotencyUnavailableError(error);
      }
      tell('unguarded', error);
      return { outcome: await work.run(new AbortController().signal), isReplay: false };
    }
    const { kind, figure, askedAt } = asked;
    switch (kind) {
      case CLAIMED:
        return {
          outcome: await this.#do(new Claim(this.#client, { ...terms, lease }, askedAt), work, settings, tell),
          isReplay: false,
        };
      case IN_PROGRESS:
        tell('in-progress');
        throw new IdempotencyInProgressError(Math.min(Number(figure), SOON));
      case REUSED:
        tell('reused');
        throw new IdempotencyKeyReusedError();
      default:
        return { outcome: replayed(work, figure, tell), isReplay: true };
    }
  }

  /** Forgets what is known of a key, for whoever has made sure that the work may be done again. Rejects when the store is away. */
  async forget(key: string, options: Pick<RunOptions, 'scope'> = {}): Promise<void> {
    await this.#client.del(recordName(key, options.scope));
  }

  /** Never gives a claim that may have run out already: then somebody else may be at the work by now. */
  async #claim({ record, token, fingerprint: print, lease }: ClaimTerms): Promise<Asked> {
    for (let isLast = false; ; isLast = true) {
      const askedAt = performance.now();
      const options = { binary: true, decode: asAnswer };
      const [kind, figure] = await this.#client.run(claimWork, [record], [token, print, lease], options);
      const age = performance.now() - askedAt;
      // An answer as late as that, of a slow server or in a busy process, is asked for again: whose the claim is by then.
      if (kind !== CLAIMED || age < lease / 3 || (isLast && age < lease)) return { kind, figure, askedAt };
      if (isLast) {
        this.#client.run(releaseClaim, [record], [token]).catch(leaveIt);
        throw new DeadlineError('A claim', lease, undefined, 'Raise the lease of idempotency.');
      }
    }
  }

  /** The work is done whatever becomes of the claim; what the store fails at is told, and changes nothing. */
  async #do<T>(claim: Claim, work: Work<T>, { ttl, maxBytes }: IdempotencySettings, tell: Tell): Promise<T> {
    let outcome: T;
    try {
      outcome = await work.run(claim.lost);
    } catch (error) {
      await release(claim, tell);
      throw error;
    }
    let kept: string | Buffer | undefined;
    let reason: { readonly error?: unknown } | undefined;
    try {
      kept = work.encode(outcome);
      if (kept === undefined) {
        await release(claim, tell);
        return outcome;
      }
      if (Buffer.byteLength(kept) > maxBytes) reason = {};
    } catch (error) {
      reason = { error };
    }
    try {
      // It was done: better no result to give again than doing it twice.
      const isKept = await claim.complete(reason ? undefined : kept, ttl);
      if (!isKept) tell('lost');
      else if (reason) tell('not-kept', reason.error);
      else tell('completed');
    } catch (error) {
      tell('store-failed', error);
    }
    return outcome;
  }

  /** Of options that are given again and again, only the first time is checked. */
  #settingsOf(options: IdempotencyOptions | undefined): IdempotencySettings {
    if (options === undefined) return this.#settings;
    let settings = this.#known.get(options);
    if (!settings) {
      settings = resolveIdempotency(options, this.#settings);
      this.#known.set(options, settings);
    }
    return settings;
  }

  #publish(operation: string, outcome: IdempotencyEvent['outcome'], error: unknown): void {
    if (!events.idempotency.active) return;
    const code = codeOf(error);
    events.idempotency.publish({ ...this.#client.identity, operation, outcome, code });
  }
}

/** An earlier outcome, if it was kept and can be read. */
function replayed<T>(work: Work<T>, kept: number | Buffer | undefined, tell: Tell): T {
  let cause: unknown;
  if (Buffer.isBuffer(kept)) {
    try {
      const outcome = work.decode(kept);
      tell('replayed');
      return outcome;
    } catch (error) {
      cause = error;
    }
  }
  tell('not-replayable', cause);
  throw new IdempotencyNotReplayableError(cause);
}

async function release(claim: Claim, tell: Tell): Promise<void> {
  try {
    tell((await claim.release()) ? 'released' : 'lost');
  } catch (error) {
    tell('store-failed', error);
  }
}

/** A claim that cannot be given up ends by itself. */
function leaveIt(): void {
  // Nobody waits for it.
}

function asAnswer(reply: Reply): readonly [number, (number | Buffer)?] {
  return reply as readonly [number, (number | Buffer)?];
}

/** Where a record is stored. The scope's length keeps it apart from the key. */
function recordName(key: string, scope = ''): string {
  const name = storedName(key, 'The idempotency key');
  return `idempotent:${scope.length}:${scope === '' ? '' : storedName(scope, 'The scope of an idempotency key')}:${name}`;
}

/** A fingerprint stands in a record, where a space would end it. */
function checked(print: string): string {
  if (FINGERPRINT.test(print)) return print;
  throw new ArgumentError(
    'The fingerprint of idempotent work must be 1 to 256 visible ASCII characters. Give a hash of what is done.',
    { subject: 'fingerprint' },
  );
}
