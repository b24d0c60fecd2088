/** Milliseconds after which an older sample gives way to a newer one, even a worse one: clocks drift. */
const GOOD_FOR = 30_000;

/** Milliseconds by which a clock differs from what was expected of it, so that it must have been set. */
const JUMP = 1_000;

interface Sample {
  readonly server: number;
  readonly sentAt: number;
  readonly uncertainty: number;
}

/** Whether a clock was set since: what it says now does not fit to what it said, however long the answers took. */
function isOff(known: Sample, server: number, sentAt: number): boolean {
  return Math.abs(server - known.server - (sentAt - known.sentAt)) > JUMP;
}

/**
 * What time it is at the servers, as far as their answers tell: no clock of this process takes part, but the one that
 * only counts. Each node has its own.
 */
export class ServerClock {
  readonly #samples = new Map<string, Sample>();

  /** A server said `server` in answer to what was sent at `sentAt` (`performance.now()`). */
  learn(node: string, server: number, sentAt: number): void {
    const now = performance.now();
    const uncertainty = now - sentAt;
    const known = this.#samples.get(node);
    if (known && uncertainty > known.uncertainty && now - known.sentAt < GOOD_FOR && !isOff(known, server, sentAt))
      return;
    this.#samples.set(node, { server, sentAt, uncertainty });
  }

  forget(): void {
    this.#samples.clear();
  }

  knows(node: string): boolean {
    return this.#samples.has(node);
  }

  /** The latest it can be at `node`, so that nothing seems to live longer than it does; `undefined` if nobody has said. */
  at(node: string, now: number): number | undefined {
    const sample = this.#samples.get(node);
    return sample && sample.server + (now - sample.sentAt);
  }
}
