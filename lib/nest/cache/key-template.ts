import { ArgumentError, ConfigurationError } from '../../core/errors.js';

const PLACE = /\{(\d+)((?:\.[A-Za-z_$][\w$]*)*)\}/g;

interface Place {
  /** As it is written: `{0.id}`. */
  readonly text: string;
  readonly position: number;
  readonly path: readonly string[];
}

/**
 * Reads a template such as `product:{0.id}:{1}`. Where it has several places, characters of the text around them are
 * written as `%…` in what fills them, so that two calls never make one key.
 *
 * @throws ConfigurationError for what is no template
 */
export function keyTemplate(template: string, owner: string): (args: readonly unknown[]) => string {
  const places = Array.from(template.matchAll(PLACE), ([text, position = '', path = '']): Place => ({
    text,
    position: Number(position),
    path: path.split('.').slice(1),
  }));
  const literals = template.split(PLACE_WHOLE);
  check(template, literals, owner);
  const [before = '', after = ''] = literals;
  const [only] = places;
  if (!only) return () => before;
  // Nothing can be taken for something else: it is filled as it is, and at little cost.
  if (places.length === 1) return (args) => before + textOf(only, args, owner) + after;
  const reserved = new Set(literals.join(''));
  return (args) => {
    let key = before;
    for (const [index, place] of places.entries()) {
      key += escaped(textOf(place, args, owner), reserved) + (literals[index + 1] as string);
    }
    return key;
  };
}

const PLACE_WHOLE = /\{\d+(?:\.[A-Za-z_$][\w$]*)*\}/;

function check(template: string, literals: readonly string[], owner: string): void {
  if (template === '') throw wrong(owner, 'is empty');
  if (literals.some((literal) => /[{}]/.test(literal))) throw wrong(owner, 'has a brace that belongs to no place');
  if (literals.slice(1, -1).includes('')) throw wrong(owner, 'has two places with nothing between them');
}

function textOf({ text, position, path }: Place, args: readonly unknown[], owner: string): string {
  let value = args[position];
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      throw new ArgumentError(
        `${text} in the key of ${owner} is ${value === null ? 'null' : `of type ${typeof value}`}: only text, numbers and booleans can stand there. Name a property ({0.id}), or take a function for the key.`,
        { subject: owner },
      );
  }
}

/** `reserved` are the characters of the text between the places: none of them may come from a value. */
function escaped(value: string, reserved: ReadonlySet<string>): string {
  let text = '';
  for (const letter of value) text += letter === '%' || reserved.has(letter) ? percent(letter) : letter;
  return text;
}

function percent(letter: string): string {
  return `%${(letter.codePointAt(0) as number).toString(16)};`;
}

function wrong(owner: string, what: string): ConfigurationError {
  return new ConfigurationError(
    `The key of ${owner} ${what}. Write a template such as 'product:{0}' or 'product:{0.id}:{1}', or take a function.`,
    { subject: owner },
  );
}
