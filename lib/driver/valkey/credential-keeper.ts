import { ConnectionError } from '../../core/errors.js';
import type { Credentials, CredentialsProvider, ExpiringCredentials } from '../../options/settings.js';

/** A refresh is never closer than this to the one before, whatever end a provider names. */
const SHORTEST = 1_000;
/** After a failed refresh. */
const RETRY = 10_000;
/** setTimeout cannot wait longer. */
const LONGEST = 2 ** 31 - 1;

/**
 * Knows the credentials to use now: static ones, or what a provider says, asked anew at each connect and again before
 * the last answer ends. A failed refresh changes nothing: live connections stay as they are.
 */
export class CredentialKeeper {
  readonly #source: Credentials | CredentialsProvider | undefined;
  readonly #lead: number;
  readonly #renew: (credentials: Credentials) => Promise<void>;
  #fetching: Promise<ExpiringCredentials> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #latest: Credentials | undefined;
  #closed = false;

  /**
   * @param source - static credentials, a provider, or nothing
   * @param lead - milliseconds before the end at which they are fetched again
   * @param renew - re-authenticates live connections; its rejection means the new credentials are bad
   */
  constructor(
    source: Credentials | CredentialsProvider | undefined,
    lead: number,
    renew: (credentials: Credentials) => Promise<void>,
  ) {
    this.#source = source;
    this.#lead = lead;
    this.#renew = renew;
  }

  /** For a connection about to be opened. */
  current(): Promise<Credentials> | Credentials | undefined {
    return typeof this.#source === 'function' ? this.#fetch(this.#source) : this.#source;
  }

  /** The last ones known, without asking anybody. */
  get latest(): Credentials | undefined {
    return typeof this.#source === 'function' ? this.#latest : this.#source;
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
      const credentials = await provider();
      if (typeof credentials?.password !== 'string') throw new TypeError('it gave no password');
      this.#latest = credentials;
      this.#schedule(provider, credentials.expiresAt);
      return credentials;
    } catch (error) {
      throw new ConnectionError('The credentials provider failed, so no connection can be opened. See the cause.', {
        cause: error,
        subject: 'credentials',
      });
    }
  }

  #schedule(provider: CredentialsProvider, expiresAt: number | undefined): void {
    clearTimeout(this.#timer);
    if (expiresAt === undefined || this.#closed) return;
    this.#refreshIn(provider, expiresAt - Date.now() - this.#lead);
  }

  #refreshIn(provider: CredentialsProvider, milliseconds: number): void {
    // A provider's answer has set one already if the server has refused what it gave.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(provider), Math.min(LONGEST, Math.max(SHORTEST, milliseconds)));
    this.#timer.unref();
  }

  async #refresh(provider: CredentialsProvider): Promise<void> {
    try {
      await this.#renew(await this.#fetch(provider));
    } catch {
      // The old credentials go on working on live connections; the next attempt may bring better ones.
      if (!this.#closed) this.#refreshIn(provider, RETRY);
    }
  }
}
