/** How one tier stands after a decision. */
export interface TierState {
  /** Its name, see `Limit.name`. */
  readonly name: string;
  /** The most it admits at once: the limit, or the burst of a token bucket. */
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
  /** What can still be admitted now. */
  readonly remaining: number;
  /** Milliseconds until all of it can be admitted again, if nothing more is. */
  readonly reset: number;
}

/** What became of a call. */
export interface Decision {
  readonly admitted: boolean;
  /**
   * Milliseconds after which the same call would be admitted, if nobody else is; 0 for what is admitted. `undefined` for
   * what never is, because it costs more than the limit.
   */
  readonly retryAfter: number | undefined;
  /** The tier that has to be waited for longest; `undefined` for what is admitted. */
  readonly refusedBy: TierState | undefined;
  /** All tiers, as they stand now. Empty where nothing is known of them. */
  readonly tiers: readonly TierState[];
  /**
   * Who decided: the server (`store`), this process, which remembers the refusal (`memory`) or stands in for the server
   * (`local`), or nobody, as the server did not answer (`none`).
   */
  readonly by: 'store' | 'memory' | 'local' | 'none';
}
