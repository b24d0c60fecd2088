import type { EntryGenerations, TagGeneration } from './entry.js';
import type { Generations } from './generations.js';
import { epochOf, generationName, tagName } from './names.js';

/** Everything that is true when a load begins, and has to be true still of what it brings. */
export class Circumstances implements EntryGenerations {
  readonly #generations: Generations;
  readonly #space: string;
  readonly generation: string;
  readonly tags: readonly TagGeneration[];
  /** Only where tags follow from the result. */
  readonly #epochs: readonly (string | null)[] | undefined;

  private constructor(
    generations: Generations,
    space: string,
    generation: string,
    tags: readonly TagGeneration[],
    epochs: readonly (string | null)[] | undefined,
  ) {
    this.#generations = generations;
    this.#space = space;
    this.generation = generation;
    this.tags = tags;
    this.#epochs = epochs;
  }

  /** As they are now. `more` if further tags follow from the result. */
  static async now(
    generations: Generations,
    space: string,
    tags: readonly string[],
    more: boolean,
  ): Promise<Circumstances> {
    const names = [...new Set(tags)];
    const [generation, epochs, ...tokens] = await Promise.all([
      generations.mint(generationName(space)),
      more ? generations.epochs() : undefined,
      ...names.map((tag) => generations.mint(tagName(tag))),
    ]);
    return new Circumstances(generations, space, generation, pair(names, tokens), epochs);
  }

  /** Whether this process knows, without asking, that they are as they were. */
  areKnown(): boolean {
    if (this.#epochs) return false;
    return (
      this.#generations.known(generationName(this.#space))?.token === this.generation &&
      this.tags.every(({ tag, token }) => this.#generations.known(tagName(tag))?.token === token)
    );
  }

  /** Whether a value that comes may carry one of some tags. */
  mayCarry(tags: ReadonlySet<string>): boolean {
    return this.#epochs !== undefined || this.tags.some(({ tag }) => tags.has(tag));
  }

  /** Asks whether they are as they were. */
  async stillHold(): Promise<boolean> {
    const [current, epochs, ...tags] = await Promise.all([
      this.#generations.read(generationName(this.#space)),
      this.#epochs ? this.#generations.epochs() : undefined,
      ...this.tags.map(({ tag }) => this.#generations.read(tagName(tag))),
    ]);
    return (
      current?.token === this.generation &&
      tags.every((tag, index) => tag?.token === this.tags[index]?.token) &&
      (epochs ?? []).every((epoch, bucket) => epoch === this.#epochs?.[bucket])
    );
  }

  /** With the tags that follow from the result; `undefined` if one of these may have been invalidated meanwhile. */
  async with(more: readonly string[]): Promise<EntryGenerations | undefined> {
    const epochs = this.#epochs;
    const known = new Set(this.tags.map(({ tag }) => tag));
    const names = [...new Set(more)].filter((tag) => !known.has(tag));
    if (!epochs || names.length === 0) return this;
    const tokens = await Promise.all(names.map((tag) => this.#generations.mint(tagName(tag))));
    // In this order: an invalidation writes the epoch first, see renewTags().
    const after = await this.#generations.epochs(names);
    if (after.some((epoch, index) => epoch !== epochs[epochOf(names[index] as string)])) return undefined;
    return { generation: this.generation, tags: [...this.tags, ...pair(names, tokens)] };
  }
}

function pair(names: readonly string[], tokens: readonly string[]): readonly TagGeneration[] {
  return names.map((tag, index) => ({ tag, token: tokens[index] as string }));
}
