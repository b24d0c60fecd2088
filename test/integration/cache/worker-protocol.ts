import type { CachingOptions, LoadOptions, StoreOptions } from '../../../lib/index.js';

/** How a process of its own is set up. */
export interface Setup {
  readonly client: Readonly<Record<string, unknown>>;
  readonly caching: CachingOptions;
  /** Milliseconds its clock is fast; negative: slow. */
  readonly clock: number;
}

/** Options that travel between processes. */
export type PlainLoadOptions = Omit<LoadOptions<unknown>, 'ttl' | 'tags' | 'tagsFrom' | 'unless' | 'staleOn'> &
  PlainStore;
export type PlainStore = Pick<StoreOptions<unknown>, 'jitter' | 'staleFor' | 'nullTtl'> & {
  readonly ttl?: string | number;
  readonly tags?: readonly string[];
};

/** What a process can be asked to do. Whatever it loads it asks its parent for. */
export interface Work {
  /** So many calls at once. */
  read(key: string, times: number, options?: PlainLoadOptions): Promise<unknown[]>;
  lookup(key: string): Promise<{ readonly value: unknown } | undefined>;
  set(key: string, value: unknown, options?: PlainStore): Promise<void>;
  /** Asks its parent for the new value. */
  put(key: string, options?: PlainLoadOptions): Promise<unknown>;
  evict(...keys: string[]): Promise<void>;
  invalidateTags(...tags: string[]): Promise<void>;
  clear(): Promise<void>;
  idle(): Promise<void>;
  state(): Promise<State>;
}

export interface State {
  readonly near: { readonly entries: number; readonly bytes: number };
  /** Whether the near cache is open. */
  readonly covered: boolean;
  /** How often each kind of event was told. */
  readonly news: Readonly<Record<string, number>>;
  readonly rejections: readonly string[];
  /** Milliseconds the process was late at the most since it was asked last. */
  readonly lag: number;
  /** What its clock says. */
  readonly time: number;
}

export type ToWorker =
  | { readonly kind: 'setup'; readonly setup: Setup }
  | { readonly kind: 'ask'; readonly id: number; readonly work: keyof Work; readonly args: readonly unknown[] }
  | ({ readonly kind: 'loaded'; readonly id: number } & Outcome);

export type FromWorker =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'done'; readonly id: number } & Outcome)
  | { readonly kind: 'load'; readonly id: number; readonly key: string; readonly isPut: boolean };

export type Outcome = { readonly value: unknown } | { readonly error: string; readonly code?: unknown };
