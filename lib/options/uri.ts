import { SERVER_PORT, formatAddress, parseAddress } from './address.js';
import { type Field, type Fields, type OpenFields, place } from './draft.js';
import { type Problems, shown } from './problem.js';
import { RULES, SECRET_FIELDS } from './rules.js';
import { REDACTED } from './secret.js';
import type { Address } from './settings.js';

/** What may follow the question mark, and which fields it sets. */
const QUERY: Readonly<Record<string, { readonly fields: readonly Field[]; readonly number?: true }>> = {
  db: { fields: ['db'], number: true },
  keyPrefix: { fields: ['keyPrefix'] },
  timeout: { fields: ['read', 'write'] },
  dialTimeout: { fields: ['dial'] },
  retries: { fields: ['attempts'], number: true },
  poolSize: { fields: ['poolSize'], number: true },
};

const FORM = 'valkey[s]://[[user]:password@]host[:port][/db][?option=value] (redis[s]:// as well)';
const PARTS = /^(valkey|redis)(s?):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/**
 * Reads a connection string. Several hosts, separated by commas, are the nodes of a cluster. Whatever is wrong goes to
 * `problems` under the name `from`; no message holds a part of the string that could be a secret.
 *
 * The string is taken apart here and not by `URL`, whose errors carry their whole input, password included.
 */
export function parseUri(uri: string, from: string, problems: Problems): Fields {
  const parts = PARTS.exec(uri.trim());
  const authority = parts?.[3] ?? '';
  // An @ behind the authority means that a password was cut in two by a / or ? it contains: nothing of it may be told.
  if (!parts || authority === '' || parts.slice(4).join().includes('@')) {
    problems.add(
      from,
      `is ${REDACTED}: it must have the form ${FORM}. In a user name or password write @ as %40, / as %2F, ? as %3F and # as %23.`,
    );
    return {};
  }
  const reader = new UriReader(from, problems);
  const at = authority.lastIndexOf('@');
  if (at >= 0) reader.userinfo(authority.slice(0, at));
  reader.hosts(authority.slice(at + 1));
  if (parts[2] !== '') reader.put('tls', true, 'its scheme');
  if (parts[4]) reader.put('db', toNumber(parts[4]), 'the path');
  reader.query(parts[5] ?? '');
  return reader.fields;
}

/** A connection string that may be shown: who, where and which database, never the password. */
export function formatUri(nodes: readonly Address[], details: UriDetails = {}): string {
  const user = details.username === undefined ? '' : encodeURIComponent(details.username);
  const userinfo = details.password === true ? `${user}:${REDACTED}@` : '';
  const db = details.db ? `/${details.db}` : '';
  return `valkey${details.tls === true ? 's' : ''}://${userinfo}${nodes.map(formatAddress).join(',')}${db}`;
}

/** What {@link formatUri} tells beside the addresses. */
export interface UriDetails {
  readonly username?: string | undefined;
  /** Whether there is one. */
  readonly password?: boolean;
  readonly db?: number | undefined;
  readonly tls?: boolean;
}

class UriReader {
  readonly fields: OpenFields = {};
  readonly #from: string;
  readonly #problems: Problems;

  constructor(from: string, problems: Problems) {
    this.#from = from;
    this.#problems = problems;
  }

  userinfo(text: string): void {
    const colon = text.indexOf(':');
    const username = this.#decoded(colon < 0 ? text : text.slice(0, colon), 'the user name');
    const password = this.#decoded(colon < 0 ? '' : text.slice(colon + 1), 'the password');
    if (password) this.put('password', password, 'the password');
    if (username && password) this.put('username', username, 'the user name');
    // A name alone cannot log in; most often it is a password whose colon was forgotten.
    if (username && password === '') {
      this.#problems.add(this.#from, 'has a user name but no password: write user:password@host, or :password@host.');
    }
  }

  hosts(text: string): void {
    const nodes = text.split(',').map((item) => parseAddress(item, SERVER_PORT));
    const [first] = nodes;
    if (!first || nodes.includes(undefined)) {
      this.#problems.add(this.#from, 'has no proper host: it must be host, host:port (1 to 65535) or [IPv6]:port.');
    } else if (nodes.length === 1) {
      this.put('host', first.host, 'the host');
      this.put('port', first.port, 'the port');
    } else {
      this.fields.nodes = { value: nodes.filter((node) => node !== undefined), from: this.#from };
    }
  }

  query(text: string): void {
    for (const [name, value] of new URLSearchParams(text)) {
      const option = Object.hasOwn(QUERY, name) ? QUERY[name] : undefined;
      if (!option) {
        this.#problems.add(
          this.#from,
          `has the unknown option ${shown(name)}. Known: ${Object.keys(QUERY).join(', ')}.`,
        );
        continue;
      }
      if (option.fields.some((field) => this.fields[field])) {
        this.#problems.add(this.#from, `says '${name}' twice: leave one of them out.`);
        continue;
      }
      for (const field of option.fields) this.put(field, option.number ? toNumber(value) : value, `'${name}'`);
    }
  }

  put<K extends Field>(field: K, raw: unknown, part: string): void {
    const rule = RULES[field];
    const value = rule.read(raw);
    if (value === undefined) {
      const told = shown(raw, SECRET_FIELDS.has(field));
      this.#problems.add(this.#from, `is wrong in ${part}, which is ${told}: it must be ${rule.expected}.`);
    } else {
      place(this.fields, field, { value, from: this.#from });
    }
  }

  #decoded(text: string, part: string): string | undefined {
    try {
      return decodeURIComponent(text);
    } catch {
      // The error of decodeURIComponent says no more than this, and must not drag the text along as its cause.
      this.#problems.add(
        this.#from,
        `is wrong in ${part}: a % must be followed by two hexadecimal digits (write % as %25).`,
      );
      return undefined;
    }
  }
}

function toNumber(text: string): unknown {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
