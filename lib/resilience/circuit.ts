import type { BreakerState } from '../core/events.js';
import type { Operation } from '../driver/driver.js';

/** How many operations of one route are on their way and how many wait, where `resilience.bulkhead` bounds them. */
export interface BulkheadState {
  readonly inFlight: number;
  readonly queued: number;
}

/** The circuit of one route, as it is now. */
export interface Circuit {
  readonly route: string;
  readonly state: BreakerState;
  /** Only there with `resilience.bulkhead`. */
  readonly bulkhead?: BulkheadState;
}

/** Looking at circuits, and opening and closing them by hand. */
export interface CircuitControl {
  /** Of every route that has been used. */
  circuits(): readonly Circuit[];
  /** Lets nothing through, to one route or to all, until the function it gives is called. */
  isolate(route?: string): () => void;
  /** Closes circuits that failures have opened, of one route or of all. */
  resetCircuits(route?: string): void;
}

/** Asking a server how it is. */
export interface Inquiry {
  /** Sends a question past the bulkhead, whose being full says nothing about the server. */
  inquire(operation: Operation): void;
}
