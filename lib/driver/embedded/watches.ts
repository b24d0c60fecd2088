import type { Atom } from './data/bytes.js';

/** What one session watches, and whether any of it changed since. */
export class Watch {
  readonly keys = new Set<Atom>();
  broken = false;
}

/** Who watches which key. */
export class Watches {
  readonly #byKey = new Map<Atom, Set<Watch>>();

  add(key: Atom, watch: Watch): void {
    watch.keys.add(key);
    const watching = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, watching);
    watching.add(watch);
  }

  /** Ends all of a session's watches. */
  clear(watch: Watch): void {
    for (const key of watch.keys) {
      const watching = this.#byKey.get(key);
      if (watching?.delete(watch) === true && watching.size === 0) this.#byKey.delete(key);
    }
    watch.keys.clear();
    watch.broken = false;
  }

  /** Breaks whatever watches this key. */
  notice(key: Atom): void {
    if (this.#byKey.size === 0) return;
    for (const watch of this.#byKey.get(key) ?? []) watch.broken = true;
  }
}
