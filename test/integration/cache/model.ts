/** Something was invalidated, and whoever did it knows. */
interface Acknowledged {
  /** What was done. */
  readonly how: string;
  readonly version: number;
  readonly by: number;
  readonly at: number;
}

/** A read that gave what had been invalidated before it began. */
export interface Lie {
  readonly key: string;
  readonly read: number;
  readonly reader: number;
  readonly invalidated: number;
  readonly how: string;
  readonly by: number;
  /** Milliseconds between the acknowledgement and the beginning of the read. */
  readonly after: number;
}

/**
 * The data behind the caches, and all that may be said of them: after an acknowledged invalidation no read that begins
 * later gives an older version. The process that invalidated keeps to it at once, another one after a bounded time.
 */
export class Model {
  readonly #versions = new Map<string, number>();
  readonly #acknowledged = new Map<string, Acknowledged[]>();
  readonly lies: Lie[] = [];
  /** How long another process went on giving an old version, at the most. */
  longest = 0;
  reads = 0;

  /** What the data are now. */
  version(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  /** The data change. */
  change(key: string): number {
    const version = this.version(key) + 1;
    this.#versions.set(key, version);
    return version;
  }

  /** Whatever is older than `version` may not be read any more. */
  acknowledge(key: string, version: number, by: number, how: string): void {
    const known = this.#acknowledged.get(key) ?? [];
    known.push({ how, version, by, at: performance.now() });
    this.#acknowledged.set(key, known);
  }

  /** A read that began at `begunAt` has given `version`. `bound`: what another process may lag behind, in milliseconds. */
  judge(key: string, version: number, reader: number, begunAt: number, bound: number): void {
    this.reads += 1;
    for (const { how, version: invalidated, by, at } of this.#acknowledged.get(key) ?? []) {
      if (invalidated <= version || at > begunAt) continue;
      const after = begunAt - at;
      if (by !== reader) this.longest = Math.max(this.longest, after);
      if (by === reader || after > bound) this.lies.push({ key, read: version, reader, invalidated, how, by, after });
    }
  }
}
