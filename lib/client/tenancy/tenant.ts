import { toUSVString } from 'node:util';
import { ArgumentError } from '../../core/errors.js';
import { escapeGlob } from '../commands/prefix.js';

const ROOT = 'tenant:';
/** Characters of an id at the most. */
const LONGEST = 128;
/** What would end the tenant's part of a key early, or break a line of a log. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const FORBIDDEN = /[:{}\u0000-\u001f\u007f]/;
const TENANT_PART = /^tenant:\{[^:{}]+\}:/;

/** A tenant whose id is good. */
export class Tenant {
  readonly id: string;
  /** What its keys begin with. The braces make them one hash slot. */
  readonly prefix: string;

  constructor(id: string) {
    this.id = checkedTenant(id);
    this.prefix = `${ROOT}{${id}}:`;
  }
}

/**
 * The id, if it may be one.
 *
 * @throws ArgumentError
 */
export function checkedTenant(id: string): string {
  const problem = problemOf(id);
  if (problem === undefined) return id;
  throw new ArgumentError(
    `The id of a tenant ${problem}. Take 1 to ${LONGEST} characters without ":", "{", "}" and control characters; of an id that has others, take a hash.`,
    { subject: 'tenant' },
  );
}

function problemOf(id: unknown): string | undefined {
  if (typeof id !== 'string') return `is no text, but of type ${id === null ? 'null' : typeof id}`;
  if (id === '') return 'is empty';
  if (id.length > LONGEST) return `has ${id.length} characters`;
  if (FORBIDDEN.test(id)) return 'holds a character that would make it reach into keys of others';
  // It would become the same bytes as any other half: two tenants would be one.
  return toUSVString(id) === id ? undefined : 'holds half a surrogate pair';
}

/**
 * A key of a tenant by its whole name, for clients that are nobody's: `tenant:{acme}:cart`.
 *
 * @throws ArgumentError for what is no id
 */
export function tenantKey(id: string, key: string): string {
  return new Tenant(id).prefix + key;
}

/**
 * A glob pattern for keys of a tenant, for clients that are nobody's: `client.scan({ match: tenantPattern('acme') })`.
 * What is special in the id is literal.
 *
 * @param match - What the rest of the key has to match. Default: everything.
 * @throws ArgumentError for what is no id
 */
export function tenantPattern(id: string, match = '*'): string {
  return escapeGlob(new Tenant(id).prefix) + match;
}

/** A key without its tenant's part; what has none is given back as it is. */
export function stripTenant(key: string): string {
  return key.replace(TENANT_PART, '');
}
