import type { CacheClient } from '../../client/cache-client.js';
import { ConfigurationError } from '../../core/errors.js';
import type { ClientIdentity } from '../../core/events.js';
import { raiseFence } from './lock-scripts.js';
import { lockKeys, remembered, ServerLockStore } from './lock-store.js';
import type { LockStore, Taken } from './lock-store.js';

/** What several servers said, as far as it was needed. */
interface Vote<T> {
  readonly isCarried: boolean;
  readonly answers: readonly T[];
  readonly failures: readonly unknown[];
}

/**
 * Locks on a majority of servers that know nothing of each other: a lock survives the loss of a minority of them, with
 * what they knew. Every two majorities share a server, so that only one holder has one. Nothing waits for a server whose
 * answer changes nothing: one that hangs must not cost the time a lock is valid.
 */
export class QuorumLockStore implements LockStore {
  /** Those who ask in the same moment split the votes, and nobody has a majority. */
  readonly spread = 20;
  readonly #servers: readonly ServerLockStore[];
  readonly #majority: number;

  /** @throws ConfigurationError for less than three clients, an even number of them, or one twice */
  constructor(clients: readonly CacheClient[]) {
    const different = new Set(clients).size;
    if (different < 3 || different % 2 === 0 || different < clients.length) {
      throw new ConfigurationError(
        `A lock over a quorum needs an odd number of independent servers, at least 3 and each once, not ${clients.length} clients of which ${different} are different. With one server, or one cluster, give its client alone.`,
        { subject: 'lock.quorum' },
      );
    }
    this.#servers = clients.map((client) => new ServerLockStore(client));
    this.#majority = (clients.length + 1) / 2;
  }

  get identity(): ClientIdentity {
    return (this.#servers[0] as ServerLockStore).identity;
  }

  async take(name: string, token: string, milliseconds: number, isAwaited: boolean): Promise<Taken> {
    const { isCarried, answers, failures } = await this.#vote(
      (server) => server.take(name, token, milliseconds, isAwaited),
      ({ isTaken }) => isTaken,
    );
    if (isCarried) {
      const fence = Math.max(...answers.flatMap((answer) => (answer.isTaken ? [answer.fence] : [])));
      // The next holder shares a server with us, and has to find a token there that is not below ours.
      if (await this.#agree(name, token, fence, milliseconds)) return { isTaken: true, fence };
    }
    this.release(name, token).catch(leaveIt);
    if (failures.length >= this.#majority) throw failures[0];
    const others = answers.flatMap((answer) => (answer.isTaken || answer.left === undefined ? [] : [answer.left]));
    return { isTaken: false, left: others.length > 0 ? Math.min(...others) : undefined };
  }

  async extend(name: string, token: string, milliseconds: number): Promise<boolean> {
    const { isCarried, failures } = await this.#vote((server) => server.extend(name, token, milliseconds), isYes);
    // Servers that are away have not said that it is lost.
    if (!isCarried && failures.length > 0) throw failures[0];
    return isCarried;
  }

  async release(name: string, token: string): Promise<boolean> {
    const { isCarried, failures } = await this.#vote((server) => server.release(name, token), isYes);
    if (!isCarried && failures.length > 0) throw failures[0];
    return isCarried;
  }

  listen(freed: (name: string | undefined) => void): () => void {
    const ends = this.#servers.map((server) => server.listen(freed));
    return () => {
      for (const end of ends) end();
    };
  }

  async #agree(name: string, token: string, fence: number, milliseconds: number): Promise<boolean> {
    const args = [token, String(fence), remembered(milliseconds)];
    const { isCarried } = await this.#vote(
      async ({ client }) => (await client.run(raiseFence, lockKeys(name), args)) === 1,
      isYes,
    );
    return isCarried;
  }

  /** Asks all, and waits until a majority has said yes, or cannot any more. */
  #vote<T>(ask: (server: ServerLockStore) => Promise<T>, says: (answer: T) => boolean): Promise<Vote<T>> {
    return new Promise((resolve) => {
      const answers: T[] = [];
      const failures: unknown[] = [];
      const count = (): void => {
        const yes = answers.filter(says).length;
        const outstanding = this.#servers.length - answers.length - failures.length;
        const isCarried = yes >= this.#majority;
        if (isCarried || yes + outstanding < this.#majority) {
          resolve({ isCarried, answers: [...answers], failures: [...failures] });
        }
      };
      for (const server of this.#servers) {
        ask(server)
          .then(
            (answer) => answers.push(answer),
            (error: unknown) => failures.push(error),
          )
          .finally(count);
      }
    });
  }
}

/** What cannot be given back ends by itself. */
function leaveIt(): void {
  // Nobody waits for it.
}

function isYes(answer: boolean): boolean {
  return answer;
}
