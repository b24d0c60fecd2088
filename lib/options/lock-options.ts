import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { ArgumentError } from '../core/errors.js';
import { checkEach, checkObject, duration, isNumber, LONGEST_TIMER } from './checks.js';
import type { Check, Checks } from './checks.js';
import { Problems } from './problem.js';

/** How a lock is taken and held. */
export interface LockOptions {
  /** How long a lock outlives a holder that died; while it is held it is extended each third of it. Default: `'10s'`. */
  readonly ttl?: Duration;
  /** How long a lock is waited for; 0: not at all. Default: `'5s'`. */
  readonly wait?: Duration;
  /** Extends it for as long as it is held. Default: true. */
  readonly extend?: boolean;
  /** The part of `ttl` by which the clocks of this process and the server may drift apart, 0 to 0.5. Default: `0.01`. */
  readonly drift?: number;
}

/** How the locks of a client are taken and held. */
export interface LockModuleOptions extends LockOptions {
  /**
   * Names of other clients of this application: a lock is then held on a majority of their servers and this client's own,
   * which are an odd number of independent ones, at least 3. Default: none, the client's server or cluster alone.
   */
  readonly quorum?: readonly string[];
}

/** Times in milliseconds. */
export interface LockSettings {
  readonly ttl: number;
  readonly wait: number;
  readonly extend: boolean;
  readonly drift: number;
}

const DEFAULTS: LockSettings = { ttl: 10_000, wait: 5_000, extend: true, drift: 0.01 };

const TTL = duration(10, LONGEST_TIMER);

const CHECKS: Checks<LockOptions> = {
  ttl: TTL,
  wait: duration(0, LONGEST_TIMER),
  extend: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  drift: (value) => (isNumber(value, 0, 0.5) ? undefined : 'a number from 0 to 0.5'),
};

const MODULE_CHECKS: Checks<LockModuleOptions> = {
  ...CHECKS,
  quorum: (value) =>
    Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
      ? undefined
      : 'a list of names of other clients',
};

/** The options a lock knows, for those who pass them on among others. */
export const LOCK_OPTIONS = Object.keys(CHECKS) as readonly (keyof LockOptions)[];

/**
 * Checks the options of locks; what is left out is as in `base`.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveLock(options: LockOptions = {}, base: LockSettings = DEFAULTS, path = 'lock'): LockSettings {
  const problems = new Problems('The options of the lock are wrong:');
  if (checkObject(options, LOCK_OPTIONS, path, problems)) checkEach(options, CHECKS, path, problems);
  problems.throwIfAny();
  const { ttl, wait, extend = base.extend, drift = base.drift } = options;
  return {
    ttl: ttl === undefined ? base.ttl : toMilliseconds(ttl, `${path}.ttl`),
    wait: wait === undefined ? base.wait : toMilliseconds(wait, `${path}.wait`),
    extend,
    drift,
  };
}

/**
 * For how many milliseconds a lock is to last.
 *
 * @throws ArgumentError for what is no time a lock may last
 */
export function lockTime(ttl: Duration): number {
  const expected = TTL(ttl);
  if (expected === undefined) return toMilliseconds(ttl, 'ttl');
  throw new ArgumentError(`The ttl of a lock must be ${expected}.`, { subject: 'ttl' });
}

/**
 * Checks options of a lock together with `further` ones, all called `options.…`. `place` says whose they are.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkLock(options: object, further: Readonly<Record<string, Check>>, place: string): void {
  const problems = new Problems(`The lock of ${place} is wrong:`, (text) => text.replaceAll('options.', ''));
  const checks = { ...CHECKS, ...further };
  if (checkObject(options, Object.keys(checks), 'options', problems)) {
    checkEach(options, checks, 'options', problems);
  }
  problems.throwIfAny();
}

/**
 * Checks what a registration says about the locks of its client.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkLockModule(options: LockModuleOptions, client: string): void {
  const problems = new Problems('The options of the lock are wrong:');
  const isThere = checkObject(options, Object.keys(MODULE_CHECKS), 'lock', problems);
  if (isThere && checkEach(options, MODULE_CHECKS, 'lock', problems)) checkQuorum(options, client, problems);
  problems.throwIfAny();
}

function checkQuorum({ quorum }: LockModuleOptions, client: string, problems: Problems): void {
  if (quorum === undefined) return;
  if (quorum.includes(client)) {
    problems.add('lock.quorum', `has the client "${client}" itself in it, which belongs to it anyway. Leave it out.`);
  } else if (new Set(quorum).size < quorum.length) {
    problems.add('lock.quorum', 'has a client twice. Every server counts once.');
  } else if (quorum.length < 2 || quorum.length % 2 === 1) {
    const count = quorum.length + 1;
    problems.add(
      'lock.quorum',
      `makes ${count} with this client: it takes an odd number of servers, at least 3, for a majority of them to decide. Name 2 or 4 others.`,
    );
  }
}
