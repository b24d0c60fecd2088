import { toMilliseconds, type Duration } from '../../../core/duration.js';
import { ArgumentError } from '../../../core/errors.js';

/** When a key is to go. At most one of the choices; without any of them it stays for good. */
export type Expiry =
  | { readonly ttl?: Duration | undefined; readonly expireAt?: undefined; readonly keepTtl?: undefined }
  | { readonly ttl?: undefined; readonly expireAt: Date | number; readonly keepTtl?: undefined }
  | { readonly ttl?: undefined; readonly expireAt?: undefined; readonly keepTtl: boolean };

/** On which condition a time to live is set. At most one. */
export type ExpireCondition =
  | { readonly nx?: boolean; readonly xx?: undefined; readonly gt?: undefined; readonly lt?: undefined }
  | { readonly nx?: undefined; readonly xx?: boolean; readonly gt?: undefined; readonly lt?: undefined }
  | { readonly nx?: undefined; readonly xx?: undefined; readonly gt?: boolean; readonly lt?: undefined }
  | { readonly nx?: undefined; readonly xx?: undefined; readonly gt?: undefined; readonly lt?: boolean };

/** Refuses options that exclude each other, for callers whose compiler did not. */
export function atMostOne(command: string, options: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const given = names.filter((name) => options[name] !== undefined && options[name] !== false);
  if (given.length > 1) {
    throw new ArgumentError(`${command}: ${given.join(' and ')} exclude each other; give only one.`, {
      subject: command,
    });
  }
}

/** The words for an expiry: PX, PXAT, KEEPTTL or none. */
export function expiryWords(command: string, options: Expiry): (string | number)[] {
  atMostOne(command, options, ['ttl', 'expireAt', 'keepTtl', 'persist']);
  if (options.ttl !== undefined) return ['PX', positive(command, toMilliseconds(options.ttl, `${command}: ttl`))];
  if (options.expireAt !== undefined) return ['PXAT', instant(command, options.expireAt)];
  return options.keepTtl === true ? ['KEEPTTL'] : [];
}

/** Milliseconds since the epoch. */
export function instant(command: string, at: Date | number): number {
  const milliseconds = Math.ceil(Number(at));
  if (Number.isSafeInteger(milliseconds)) return milliseconds;
  throw new ArgumentError(`${command}: an instant must be a valid Date or a number of milliseconds since the epoch.`, {
    subject: command,
  });
}

/** The word for a condition, or none. */
export function conditionWords(command: string, options: ExpireCondition): string[] {
  const names = ['nx', 'xx', 'gt', 'lt'] as const;
  atMostOne(command, options, names);
  return names.filter((name) => options[name] === true).map((name) => name.toUpperCase());
}

function positive(command: string, milliseconds: number): number {
  if (milliseconds > 0) return milliseconds;
  throw new ArgumentError(`${command}: ttl must be longer than 0. Use del() to remove a key.`, { subject: command });
}
