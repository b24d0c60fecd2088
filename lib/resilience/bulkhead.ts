import { ClientClosedError, ValkeyError } from '../core/errors.js';
import type { Operation } from '../driver/driver.js';
import type { BulkheadSettings } from '../options/settings.js';
import type { BulkheadState } from './circuit.js';
import type { Deadlines } from './deadlines.js';
import { Place } from './place.js';

/** What stands behind a bulkhead: the way to one route. */
export interface Gate {
  readonly route: string;
  /** Sends operations that have a place. */
  send(operations: readonly Operation[]): void;
  /** Why nothing may pass at the moment but a probe, if so. */
  closed(): ValkeyError | undefined;
}

/**
 * Bounds how many operations are on their way to one route, and how many wait for that, first come, first served. It
 * stands before merging, so that a merged read counts as the operations it stands for. Blocking commands and sessions
 * have connections of their own and are not counted.
 */
export class Bulkhead {
  readonly #settings: BulkheadSettings;
  readonly #gate: Gate;
  readonly #deadlines: Deadlines;
  /** In the order they came. */
  readonly #queue = new Set<Place>();
  #inFlight = 0;
  #isPumpDue = false;

  constructor(settings: BulkheadSettings, gate: Gate, deadlines: Deadlines) {
    this.#settings = settings;
    this.#gate = gate;
    this.#deadlines = deadlines;
  }

  get state(): BulkheadState {
    return { inFlight: this.#inFlight, queued: this.#queue.size };
  }

  /** Sends what there are places for, lets wait what may, and ends the rest. */
  admit(operations: readonly Operation[]): void {
    // Who waits goes first; afterwards either nobody waits or no place is free.
    this.#pump();
    const passing: Operation[] = [];
    for (const operation of operations) {
      if (operation.settled) continue;
      if (operation.blocking) passing.push(operation);
      else if (this.#queue.size === 0 && this.#inFlight < this.#settings.inFlight) {
        this.#occupy(operation);
        passing.push(operation);
      } else this.#enqueue(operation);
    }
    // Last: what passes may be over at once, and has to find those who wait for its place.
    if (passing.length > 0) this.#gate.send(passing);
  }

  /** Ends what waits: behind a circuit that is open waiting is of no use. */
  refuseQueued(): void {
    const error = this.#gate.closed();
    if (error) for (const { operation } of [...this.#queue]) operation.settle({ ok: false, error });
  }

  close(): void {
    for (const { operation } of [...this.#queue]) {
      operation.settle({ ok: false, error: new ClientClosedError(operation.command) });
    }
  }

  #enqueue(operation: Operation): void {
    const refusal = this.#gate.closed() ?? (this.#queue.size < this.#settings.queue ? undefined : this.#full());
    if (refusal) {
      operation.settle({ ok: false, error: refusal });
      return;
    }
    const place = new Place(operation, this.#deadlines, this.#bound(), () => this.#queue.delete(place));
    this.#queue.add(place);
    place.wait();
  }

  #occupy(operation: Operation): void {
    const { onEnd } = operation;
    this.#inFlight += 1;
    operation.onEnd = () => {
      this.#inFlight -= 1;
      onEnd?.();
      this.#pumpSoon();
    };
  }

  /** Replies of one tick free many places: who takes them leaves together, as batches do. */
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#queue.size === 0) return;
    this.#isPumpDue = true;
    process.nextTick(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** Until nobody waits or no place is free: those who leave may be over at once. */
  #pump(): void {
    while (this.#queue.size > 0 && this.#inFlight < this.#settings.inFlight) {
      const leaving: Operation[] = [];
      for (const place of this.#queue) {
        if (this.#inFlight >= this.#settings.inFlight) break;
        place.leave();
        this.#occupy(place.operation);
        leaving.push(place.operation);
      }
      this.#gate.send(leaving);
    }
  }

  #bound(): ValkeyError {
    const { inFlight } = this.#settings;
    return new ValkeyError(
      'VALKEY_QUEUE_FULL',
      `All ${inFlight} places of resilience.bulkhead.inFlight to ${this.#gate.route} were taken all the time.`,
      { subject: 'resilience.bulkhead.inFlight' },
    );
  }

  #full(): ValkeyError {
    const { inFlight, queue } = this.#settings;
    return new ValkeyError(
      'VALKEY_QUEUE_FULL',
      `${inFlight} operations are on their way to ${this.#gate.route} and ${queue} wait, which is all that resilience.bulkhead allows; this one was not sent. Send less at once, or raise resilience.bulkhead.queue (to wait longer) or .inFlight (if the server can do more).`,
      { subject: 'resilience.bulkhead' },
    );
  }
}
