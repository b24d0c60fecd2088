import type { BreakerState } from '../core/events.js';

/** The circuit of one route, as it is now. */
export interface Circuit {
  readonly route: string;
  readonly state: BreakerState;
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
