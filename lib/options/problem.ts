import { ConfigurationError } from '../core/errors.js';
import { REDACTED } from './secret.js';

/** Gathers everything that is wrong, so that one start tells all of it. */
export class Problems {
  readonly #found: { readonly subject: string; readonly text: string }[] = [];
  readonly #title: string;
  readonly #worded: (text: string) => string;

  /** `worded` puts subjects and texts into the words of whoever is told. Default: as they are. */
  constructor(title = 'The Valkey configuration is wrong:', worded: (text: string) => string = (text) => text) {
    this.#title = title;
    this.#worded = worded;
  }

  /** Notes that `subject` (an option path or a variable) is wrong; `text` says how, and what to do. */
  add(subject: string, text: string): void {
    this.#found.push({ subject: this.#worded(subject), text: this.#worded(text) });
  }

  /** Throws one {@link ConfigurationError} with a line for each problem, if there are any. */
  throwIfAny(): void {
    const [first] = this.#found;
    if (!first) return;
    const lines = this.#found.map(({ subject, text }) => `- ${subject} ${text}`);
    throw new ConfigurationError([this.#title, ...lines].join('\n'), {
      subject: first.subject,
    });
  }
}

/**
 * A wrong value as a message may show it. Text that looks like a connection string is withheld, because a URI put
 * into the wrong option still holds its password; of an object only its kind is told, for the same reason.
 */
export function shown(value: unknown, secret = false): string {
  if (secret) return REDACTED;
  if (typeof value === 'string')
    return /[@]|:\/\/|-----BEGIN/.test(value) ? REDACTED : JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** What to say of a name that is none of `known`. */
export function unknownName(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  return `is not an option.${hint} Known here: ${known.join(', ')}.`;
}

/** The one of `known` that `name` was probably meant to be. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.min(2, Math.floor(name.length / 2)) ? best.candidate : undefined;
}

/** How many letters have to be inserted, removed or replaced to make `left` of `right`; a swapped pair counts two. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(left).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(right).entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
