import { isValkeyError } from '../../core/errors.js';
import type { LockStore } from './lock-store.js';

/** Without news a lock is asked for again after half to all of so many milliseconds: a lost message must not cost much. */
const WATCHED = 1_000;
/** The same where nobody tells about changes. */
const BLIND = 100;

/** Tells one who waits when a lock may have become free. */
export class Bell {
  readonly #patience: number;
  readonly #onClose: () => void;
  #hasRung = false;
  #wake: (() => void) | undefined;

  constructor(patience: number, onClose: () => void) {
    this.#patience = patience;
    this.#onClose = onClose;
  }

  /** Resolves when it has rung since the last call, at the latest after `milliseconds`. */
  next(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        this.#hasRung = false;
        resolve();
      };
      const most = this.#patience * (0.5 + Math.random() / 2);
      const timer = setTimeout(end, this.#hasRung ? 0 : Math.min(milliseconds, most));
      this.#wake = end;
    });
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  close(): void {
    this.#wake?.();
    this.#onClose();
  }
}

/** Hears when locks become free, from the first time on that one is waited for. */
export class LockWatch {
  readonly #store: LockStore;
  readonly #bells = new Map<string, Set<Bell>>();
  #stop: (() => void) | undefined;
  #isBlind = false;

  constructor(store: LockStore) {
    this.#store = store;
  }

  /** Whether somebody has waited before, so that a bell costs nothing. */
  get isListening(): boolean {
    return this.#stop !== undefined;
  }

  /** A bell for a lock, as it is stored. It has to be closed. */
  bell(name: string): Bell {
    this.#listen();
    const bells = this.#bells.get(name) ?? new Set();
    this.#bells.set(name, bells);
    const bell = new Bell(this.#isBlind ? BLIND : WATCHED, () => {
      bells.delete(bell);
      if (bells.size === 0 && this.#bells.get(name) === bells) this.#bells.delete(name);
    });
    bells.add(bell);
    return bell;
  }

  /** Wakes everybody, and hears nothing any more. */
  close(): void {
    this.#stop?.();
    this.#ring(undefined);
  }

  #ring(name: string | undefined): void {
    const rung = name === undefined ? [...this.#bells.values()] : [this.#bells.get(name) ?? []];
    for (const bells of rung) for (const bell of bells) bell.ring();
  }

  #listen(): void {
    if (this.#stop || this.#isBlind) return;
    try {
      this.#stop = this.#store.listen((name) => this.#ring(name));
    } catch (error) {
      // A driver that cannot tell: it has to be asked more often.
      if (!isValkeyError(error, 'VALKEY_UNSUPPORTED')) throw error;
      this.#isBlind = true;
    }
  }
}
