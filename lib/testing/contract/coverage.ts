import { types } from 'node:util';
import { CacheClient } from '../../client/cache-client.js';

/** Methods that TypeScript hides from users but JavaScript does not. */
const INTERNAL = [
  'answer',
  'awaited',
  'awaitedMember',
  'combined',
  'constructor',
  'decoded',
  'drawn',
  'expires',
  'guarded',
  'popped',
  'pushed',
  'refuse',
  'request',
  'requestSplit',
  'scoresOf',
  'send',
  'sendScript',
  'sendSplit',
  'stored',
  'storedScores',
  'stripPrefix',
  'summed',
  'taken',
  'toPoppedMany',
  'toPoppedMembers',
] as const;

/** Fails to compile when a public method is listed as internal. */
type PublicByMistake = Extract<Exclude<(typeof INTERNAL)[number], 'constructor'>, keyof CacheClient>;
const NONE: PublicByMistake[] = [];

/** Every public method and property of the client, from its whole prototype chain. */
export function publicMembers(): readonly string[] {
  const hidden = new Set<string>([...INTERNAL, ...NONE]);
  const names = new Set<string>();
  for (let level: unknown = CacheClient.prototype; isClassLevel(level); level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) if (!hidden.has(name)) names.add(name);
  }
  return [...names].sort();
}

/** The client, which notes in `used` what of it is used. What `with()` gives is watched too. */
export function watchUse(client: CacheClient, used: Set<string>): CacheClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof name === 'string') used.add(name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, args);
        // What a failed test left waiting rejects when its client closes; that must not end the whole run.
        if (types.isPromise(result)) result.catch(() => undefined);
        return result instanceof CacheClient ? watchUse(result, used) : result;
      };
    },
  });
}

function isClassLevel(level: unknown): level is object {
  return typeof level === 'object' && level !== null && level !== Object.prototype;
}
