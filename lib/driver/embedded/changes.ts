import type { TrackingRequest } from '../driver.js';
import { shown, type Atom } from './data/bytes.js';

/** Tells who tracks about changed keys, after whatever changed them is over, in order. */
export class Changes {
  readonly #requests = new Set<TrackingRequest>();
  #changed: string[] = [];

  /** Tells until the returned function is called. */
  track(request: TrackingRequest): () => void {
    // One request given twice is two.
    const own = { ...request };
    // What has changed until now is not told to a newcomer.
    this.flush();
    this.#requests.add(own);
    own.covered(true);
    return () => this.#requests.delete(own);
  }

  /** Notes a key that changed. */
  notice(key: Atom): void {
    if (this.#requests.size === 0) return;
    // No command may follow a change that came of itself: the end of a time to live.
    if (this.#changed.length === 0) queueMicrotask(() => this.flush());
    this.#changed.push(shown(key));
  }

  /** Hands over what was noted. */
  flush(): void {
    while (this.#changed.length > 0) {
      const changed = this.#changed;
      this.#changed = [];
      for (const key of changed) this.#tell(key);
    }
  }

  close(): void {
    const requests = [...this.#requests];
    this.#requests.clear();
    this.#changed = [];
    for (const { covered } of requests) covered(false);
  }

  #tell(key: string): void {
    for (const { prefix, changed } of this.#requests) if (key.startsWith(prefix)) changed(key);
  }
}
