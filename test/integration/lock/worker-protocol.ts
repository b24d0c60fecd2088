import type { LockOptions } from '../../../lib/index.js';

/** What a process with locks of its own can be asked to do. */
export interface Work {
  /** Adds one to a counter so many times, from several callers, each time under the lock; reads and writes apart. */
  count(name: string, counter: string, callers: number, times: number, options?: LockOptions): Promise<void>;
  /** Holds a lock, under which work runs until `finish()`. Gives the fencing token. */
  begin(name: string, options?: LockOptions): Promise<number>;
  /** Ends that work. Gives the code of what `using()` rejected with, if it did. */
  finish(): Promise<string | undefined>;
  /** Writes with the fencing token of the lock that was begun. */
  write(key: string, value: string): Promise<boolean>;
  state(): Promise<State>;
}

export interface State {
  /** The code of the reason the signal of the lock that was begun has fired with. */
  readonly lost: string | undefined;
  readonly rejections: readonly string[];
}

export type ToWorker =
  | { readonly kind: 'setup'; readonly client: Readonly<Record<string, unknown>> }
  | { readonly kind: 'ask'; readonly id: number; readonly work: keyof Work; readonly args: readonly unknown[] };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly value?: unknown; readonly error?: string };
