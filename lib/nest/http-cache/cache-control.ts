/** Directives of a `Cache-Control`, by their names in lower case; those without a value have ''. */
export type Directives = ReadonlyMap<string, string>;

const NONE: Directives = new Map();
const DIRECTIVE = /([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?/g;

/** Reads a `Cache-Control`, leniently: what cannot be read is not there. */
export function directivesOf(value: string | undefined): Directives {
  if (value === undefined || value === '') return NONE;
  return new Map(
    Array.from(value.matchAll(DIRECTIVE), ([, name = '', quoted, plain]) => [
      name.toLowerCase(),
      quoted ?? plain ?? '',
    ]),
  );
}

/** The seconds a directive names; `undefined` where it is not there. What is no number counts as 0: it is meant to limit. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name);
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Number(value) : 0;
}

/** What a request wants of the cache. */
export interface Demand {
  /** Neither an answer from it nor one for it. */
  readonly isBypass: boolean;
  /** Seconds since the answer was made. */
  readonly oldest: number;
}

const ANYTHING: Demand = { isBypass: false, oldest: Infinity };

/** What a request's `Cache-Control`, or its `Pragma` where there is none, demands. */
export function demandOf(cacheControl: string | undefined, pragma: string | undefined): Demand {
  if (cacheControl === undefined && pragma === undefined) return ANYTHING;
  const directives = directivesOf(cacheControl ?? pragma);
  const oldest = directives.has('no-cache') ? 0 : (secondsOf(directives, 'max-age') ?? Infinity);
  return { isBypass: directives.has('no-store'), oldest };
}
