import { toMilliseconds, type Duration } from '../core/duration.js';
import { ArgumentError } from '../core/errors.js';

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/**
 * A clock that stands still until it is told to move. Keys of a test client expire by it, and delays of a recording
 * driver end by it; deadlines and the timeouts of blocking commands do not: they are real time.
 *
 * @example
 * ```ts
 * const { client, clock } = await createTestClient();
 * await client.set('session', 'anne', { ttl: '1h' });
 * clock.advance('1h');
 * await client.get('session'); // null
 * ```
 */
export class FakeClock {
  readonly #alarms = new Set<Alarm>();
  readonly #listeners = new Set<() => void>();
  #now: number;

  /** @param start - What time it is at first. Default: the real time, which then stands still. */
  constructor(start: Date | number = Date.now()) {
    const now = Number(start);
    if (!Number.isFinite(now)) {
      throw new ArgumentError('FakeClock: start must be a valid Date or a number of milliseconds since the epoch.', {
        subject: 'start',
      });
    }
    this.#now = now;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** Lets time pass: what becomes due on the way happens in its order, and keys whose time is over are gone. */
  advance(duration: Duration): void {
    const end = this.#now + toMilliseconds(duration, 'advance(): duration');
    for (let next = this.#nextDue(end); next; next = this.#nextDue(end)) {
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.at);
      this.#tell();
      next.ring();
    }
    this.#now = end;
    this.#tell();
  }

  /** Calls `ring` once the clock was moved on by `duration`; the function it gives cancels that. */
  after(duration: Duration, ring: () => void): () => void {
    const alarm = { at: this.#now + toMilliseconds(duration, 'after(): duration'), ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Calls `listener` whenever the clock was moved; the function it gives ends that. */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #nextDue(end: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) if (alarm.at <= end && (next === undefined || alarm.at < next.at)) next = alarm;
    return next;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
