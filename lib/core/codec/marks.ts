import { types } from 'node:util';
import { EncodeError } from './codec.js';

/** How a format writes what it has no words for. Parts are given as they are to be written: marked themselves. */
export interface Marks {
  text(value: string): unknown;
  number(value: number): unknown;
  bigint(value: bigint): unknown;
  undefined(): unknown;
  date(value: Date): unknown;
  bytes(value: Uint8Array): unknown;
  map(entries: readonly (readonly [unknown, unknown])[]): unknown;
  set(items: readonly unknown[]): unknown;
  object(entries: readonly (readonly [string, unknown])[]): unknown;
}

/**
 * The value with marks in place of what a format cannot say. Objects with `toJSON` and class instances become what
 * JSON makes of them.
 *
 * @throws EncodeError with the path, for what cannot be stored at all
 */
export function mark(value: unknown, marks: Marks): unknown {
  try {
    return new Marking(marks).mark(value, '', 'value');
  } catch (error) {
    throw toEncodeError(error);
  }
}

/** What an error met while encoding means to the caller. */
export function toEncodeError(cause: unknown): EncodeError {
  if (cause instanceof EncodeError) return cause;
  return cause instanceof RangeError
    ? new EncodeError('The value is nested too deeply, or its text is too long, to be stored.', { cause })
    : new EncodeError('A toJSON() or a getter of the value threw; see the cause.', { cause });
}

class Marking {
  readonly #marks: Marks;
  /** The objects that the one at hand is part of. */
  readonly #above = new Set<object>();

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  mark(value: unknown, name: string, path: string): unknown {
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'string':
        return this.#marks.text(value);
      case 'number':
        return this.#marks.number(value);
      case 'bigint':
        return this.#marks.bigint(value);
      case 'undefined':
        return this.#marks.undefined();
      case 'object':
        return value === null ? null : this.#object(value, name, path);
      default: {
        if (typeof value === 'function' && 'toJSON' in value) return this.#converted(value, name, path);
        throw new EncodeError(
          `${path} is a ${typeof value}, which cannot be stored. Leave it out, or give it a toJSON().`,
        );
      }
    }
  }

  #object(value: object, name: string, path: string): unknown {
    if (types.isDate(value)) return this.#marks.date(value);
    if (types.isUint8Array(value)) return this.#marks.bytes(value);
    if (types.isBoxedPrimitive(value)) return this.mark(value.valueOf(), name, path);
    if (this.#above.has(value)) {
      throw new EncodeError(`${path} refers back to an object it is part of, which cannot be stored.`);
    }
    this.#above.add(value);
    try {
      return this.#parts(value, name, path);
    } finally {
      this.#above.delete(value);
    }
  }

  #parts(value: object, name: string, path: string): unknown {
    if (Array.isArray(value)) {
      return Array.from(value, (item, index) => this.mark(item, String(index), `${path}[${index}]`));
    }
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#converted(value, name, path);
    if (types.isMap(value)) {
      return this.#marks.map(
        Array.from(value, ([key, item], index) => [
          this.mark(key, '', `${path}.key(${index})`),
          this.mark(item, '', `${path}.value(${index})`),
        ]),
      );
    }
    if (types.isSet(value)) {
      return this.#marks.set(Array.from(value, (item, index) => this.mark(item, '', `${path}.item(${index})`)));
    }
    if (losesEverything(value)) {
      throw new EncodeError(
        `${path} is a ${types.isPromise(value) ? 'Promise (is an await missing?)' : value.constructor.name}, of which nothing would be kept. Store what you need of it.`,
      );
    }
    return this.#marks.object(
      Object.entries(value).map(([key, item]) => [key, this.mark(item, key, `${path}.${key}`)]),
    );
  }

  /** What toJSON makes of it, which may again hold anything. */
  #converted(value: object, name: string, path: string): unknown {
    const converted = (value as { toJSON(name: string): unknown }).toJSON(name);
    // toJSON() may return the object itself; then JSON goes on with its properties, and so do we, once.
    return converted === value ? this.#own(value, path) : this.mark(converted, name, path);
  }

  #own(value: object, path: string): unknown {
    const plain = Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'toJSON'));
    return this.mark(plain, '', path);
  }
}

/** What has all it holds in slots that are not looked into: it would come back as an empty object. */
function losesEverything(value: object): boolean {
  return (
    types.isPromise(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  );
}
