import { types } from 'node:util';
import { ArgumentError } from '../../core/errors.js';

/**
 * One text for all lists of arguments that mean the same, and another for any other. It is JSON with sorted keys; what JSON
 * cannot tell apart has a name before it: `Date(…)`, `Map(…)`, `12n`. Trailing arguments left out and undefined are the
 * same.
 *
 * @throws ArgumentError for what has no such text: functions, streams, what holds itself
 */
export function canonicalArguments(args: readonly unknown[], owner: string): string {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  const texts: string[] = [];
  for (let index = 0; index < length; index += 1) {
    try {
      texts.push(canonical(args[index], []));
    } catch (error) {
      throw new ArgumentError(
        `Argument ${index + 1} of ${owner} cannot be part of a key: ${reasonOf(error)}. Give the decorator a key of its own.`,
        { subject: owner },
      );
    }
  }
  return texts.join();
}

/** Why there is no text. */
class NoText extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof NoText) return error.message;
  return error instanceof RangeError ? 'it is nested too deeply' : 'reading it fails';
}

/** `above`: the objects it lies in. */
function canonical(value: unknown, above: readonly object[]): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'undefined':
      return 'undefined';
    case 'object':
      return value === null ? 'null' : objectText(value, above);
    default:
      throw new NoText(`it holds a ${typeof value}`);
  }
}

function objectText(value: object, above: readonly object[]): string {
  if (above.includes(value)) throw new NoText('it holds itself');
  const path = [...above, value];
  const inside = (item: unknown): string => canonical(item, path);
  if (Array.isArray(value)) return `[${Array.from(value as unknown[], inside).join()}]`;
  if (types.isDate(value)) return `Date(${value.getTime()})`;
  if (types.isMap(value)) {
    const entries = Array.from(value, ([key, item]) => `${inside(key)}:${inside(item)}`);
    return `Map(${entries.toSorted().join()})`;
  }
  if (types.isSet(value)) return `Set(${Array.from(value, inside).toSorted().join()})`;
  if (types.isRegExp(value)) return `RegExp(${String(value)})`;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `${className(value)}(${bytes.toString('base64')})`;
  }
  return isPlain(value) ? fieldsText(value, inside) : instanceText(value, inside);
}

/** Of an instance we see what it says of itself, or its public fields; where there are none, two cannot be told apart. */
function instanceText(value: object, inside: (item: unknown) => string): string {
  const name = className(value);
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return `${name}(${inside((toJSON as () => unknown).call(value))})`;
  if (types.isBoxedPrimitive(value)) return `${name}(${inside(value.valueOf())})`;
  if (Reflect.ownKeys(value).length === 0 || types.isPromise(value) || types.isNativeError(value)) {
    throw new NoText(`an instance of ${name} shows nothing by which to tell it from another`);
  }
  return name + fieldsText(value, inside);
}

function fieldsText(value: object, inside: (item: unknown) => string): string {
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NoText('it has keys that are symbols');
  const fields = value as Readonly<Record<string, unknown>>;
  const texts = Object.keys(fields)
    .toSorted()
    .flatMap((key) => (fields[key] === undefined ? [] : [`${JSON.stringify(key)}:${inside(fields[key])}`]));
  return `{${texts.join()}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm have another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function className(value: object): string {
  return (value.constructor as { readonly name?: string } | undefined)?.name ?? 'Object';
}
