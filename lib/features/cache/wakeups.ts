/** Those who wait for something to happen to a key. */
export class Wakeups {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when the key is woken, or after `milliseconds`. */
  wait(key: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(end);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      waiting.add(end);
    });
  }

  wake(key: string): void {
    for (const end of this.#waiting.get(key) ?? []) end();
  }
}
