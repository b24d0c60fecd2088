import { ConnectionError } from '../../core/errors.js';
import type { Credentials, CredentialsProvider, ExpiringCredentials } from '../../options/settings.js';

/** A refresh is never closer than this to the one before, whatever end a provider names. */
const SHORTEST = 1_000;
/** After a failed refresh. */
const RETRY = 10_000;
/** setTimeout cannot wait longer. */
const LONGEST = 2 ** 31 - 1;

/** What a keeper works with. */
export interface CredentialSource {
  /** Static ones, a provider, or nothing. */
  readonly credentials: Credentials | CredentialsProvider | undefined;
  /** Milliseconds before the end at which they are fetched again. */
  readonly lead: number;
  /** Milliseconds a provider has to answer. */
  readonly timeout: number;
  /** Re-authenticates live connections; its rejection means that some go on with the old ones. */
  readonly renew: (credentials: Credentials) => Promise<void>;
}

/**
 * Knows the credentials to use now: static ones, or what a provider says, asked anew at each connect and again before
 * the first of its answers ends. A failed refresh changes nothing: live connections stay as they are.
 */
export class CredentialKeeper {
  readonly #source: CredentialSource;
  #fetching: Promise<ExpiringCredentials> | undefined;
  #latest: Credentials | undefined;
  /** When live connections need new ones, in milliseconds since the epoch. Who connects later does not put it off. */
  #dueAt = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isRefreshing = false;
  #closed = false;

  constructor(source: CredentialSource) {
    this.#source = source;
  }

  /** For a connection about to be opened. */
  current(): Promise<Credentials> | Credentials | undefined {
    const { credentials } = this.#source;
    return typeof credentials === 'function' ? this.#fetch(credentials) : credentials;
  }

  /** The last ones known, without asking anybody. */
  get latest(): Credentials | undefined {
    const { credentials } = this.#source;
    return typeof credentials === 'function' ? this.#latest : credentials;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Connections that open at the same moment share one question to the provider. */
  #fetch(provider: CredentialsProvider): Promise<ExpiringCredentials> {
    this.#fetching ??= this.#ask(provider).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #ask(provider: CredentialsProvider): Promise<ExpiringCredentials> {
    try {
      const credentials = await this.#inTime(provider);
      if (typeof credentials?.password !== 'string') throw new TypeError('it gave no password');
      this.#latest = credentials;
      this.#refreshBefore(provider, credentials.expiresAt);
      return credentials;
    } catch (error) {
      throw new ConnectionError('The credentials provider failed, so no connection can be opened. See the cause.', {
        cause: error,
        subject: 'credentials',
      });
    }
  }

  /** Who never answers is asked again by the next who needs to know. */
  #inTime(provider: CredentialsProvider): Promise<ExpiringCredentials> {
    const { timeout } = this.#source;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it had no answer within ${timeout} ms`)), timeout).unref();
      void Promise.resolve()
        .then(provider)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  #refreshBefore(provider: CredentialsProvider, end: number | undefined): void {
    if (end === undefined) return;
    const dueAt = Math.max(Date.now() + SHORTEST, end - this.#source.lead);
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    this.#arm(provider);
  }

  /** One refresh at a time: of two, the older credentials might come last. */
  #arm(provider: CredentialsProvider): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#isRefreshing || this.#dueAt === Infinity) return;
    const milliseconds = Math.min(LONGEST, Math.max(0, this.#dueAt - Date.now()));
    this.#timer = setTimeout(() => void this.#refresh(provider), milliseconds).unref();
  }

  async #refresh(provider: CredentialsProvider): Promise<void> {
    this.#dueAt = Infinity;
    this.#isRefreshing = true;
    try {
      await this.#source.renew(await this.#fetch(provider));
    } catch {
      // The old credentials go on working on live connections; the next attempt may bring better ones.
      this.#dueAt = Date.now() + RETRY;
    }
    this.#isRefreshing = false;
    this.#arm(provider);
  }
}
