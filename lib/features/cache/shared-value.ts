/** How hits hand out one value: the same deep-frozen one to all, or a copy to each. */
export type Sharing = 'frozen' | 'copy';

/** One value for many takers, none of whom can change what the others get. */
export class SharedValue<T> {
  /** Kept where each taker gets a copy of its own. */
  readonly #payload: string | Buffer | undefined;
  readonly #decode: (payload: string | Buffer) => unknown;
  /** What all takers get, or the first one. */
  #value: T | undefined;
  #isTaken: boolean;
  /** Whether all takers get the same. */
  readonly isOne: boolean;
  /** Bytes it takes, roughly and rather too many: objects take more than their text. */
  readonly bytes: number;

  /** @throws what `decode` throws */
  constructor(payload: string | Buffer, decode: (payload: string | Buffer) => unknown, sharing: Sharing) {
    this.#decode = decode;
    const value = decode(payload) as T;
    this.isOne = isFixed(value) || (sharing === 'frozen' && freeze(value));
    this.#payload = this.isOne ? undefined : payload;
    this.bytes = payload.length * (this.isOne ? 3 : 1);
    // Freezing may have gone half the way.
    this.#isTaken = !this.isOne && sharing === 'frozen';
    this.#value = this.#isTaken ? undefined : value;
  }

  take(): T {
    if (this.isOne) return this.#value as T;
    if (this.#isTaken) return this.#decode(this.#payload as string | Buffer) as T;
    const value = this.#value as T;
    this.#isTaken = true;
    this.#value = undefined;
    return value;
  }
}

function isFixed(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** Freezes plain objects and arrays to the ground. @returns false for what freezing does not protect: Date, Map, Buffer … */
function freeze(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (!freeze(item)) return false;
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    for (const key of Object.keys(value)) if (!freeze((value as Record<string, unknown>)[key])) return false;
  }
  Object.freeze(value);
  return true;
}
