import { headOf } from './entry.js';
import type { Entry } from './entry.js';
import type { SharedValue } from './shared-value.js';

/** What a read has found. */
export type Found<T> =
  | FoundEntry<T>
  /** Nothing that may be used. `seen` is the head of what is there all the same. */
  | { readonly kind: 'none'; readonly seen: string }
  | { readonly kind: 'away'; readonly error: unknown };

/** An entry that may be used. */
export class FoundEntry<T> {
  readonly value: SharedValue<T>;
  /** How long it is fresh. */
  readonly leftMs: number;
  readonly #entry: Entry;

  constructor(entry: Entry, value: SharedValue<T>, leftMs: number) {
    this.#entry = entry;
    this.value = value;
    this.leftMs = leftMs;
  }

  get kind(): 'fresh' | 'stale' {
    return this.leftMs > 0 ? 'fresh' : 'stale';
  }

  get seen(): string {
    return headOf(this.#entry.id);
  }
}
