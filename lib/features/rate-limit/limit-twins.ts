import type { Argument, Reply } from '../../driver/reply.js';
import type { EmbeddedScriptContext, ScriptDefinition } from '../../driver/script.js';
import { packed } from './figures.js';

type Twin = NonNullable<ScriptDefinition['embedded']>;

/** A tier as a script is given it. */
interface Rule {
  readonly letter: string;
  readonly limit: number;
  readonly window: number;
  readonly capacity: number;
  readonly block: number;
}

/** What an algorithm says: how long to wait, or what becomes of the counter. */
type Verdict =
  | { readonly wait: number }
  | {
      readonly wait: 0;
      readonly remaining: number;
      readonly reset: number;
      /** What to store, or how many times of a log are over, -1 for all. */
      readonly state: string | number;
      readonly life: number;
    };

type Algorithm = (state: State, cost: number, rule: Rule, isCounted: boolean) => Verdict;

/** The embedded twin of `decideLimits`: the same figures from the same state. */
export const decideTwin: Twin = (context, keys, args) => decide(context, keys, args, true);

/** The embedded twin of `checkLimits`. */
export const checkTwin: Twin = (context, keys, args) => decide(context, keys, args, false);

/** The embedded twin of `refundLimits`. */
export const refundTwin: Twin = (context, keys, args) => {
  const [cost = 0] = args.map(Number);
  for (const [index, key] of keys.entries()) {
    const letter = String(args[2 * index + 1]);
    const state = new State(context, key);
    if (letter === 'l') {
      const length = state.length();
      if (length > 0) context.call('RPOP', key, Math.min(cost, length));
      continue;
    }
    const left = refunded(letter, cost, Number(args[2 * index + 2]), state.fields(FIELDS[letter] ?? 0));
    if (left) context.call('SET', key, left.join(' '), 'KEEPTTL');
  }
  return 1;
};

/** How many numbers a counter consists of. */
const FIELDS: Readonly<Record<string, number>> = { f: 1, s: 3, b: 2 };

/** A counter after a refund. */
function refunded(
  letter: string,
  cost: number,
  window: number,
  fields: readonly number[] | undefined,
): readonly number[] | undefined {
  if (!fields) return undefined;
  const [first = 0, second = 0, third = 0] = fields;
  if (letter === 'f') return [Math.max(0, first - cost)];
  if (letter === 'b') return [Math.max(0, first - cost * window), second];
  const fromCurrent = Math.min(cost, second);
  return [first, second - fromCurrent, Math.max(0, third - (cost - fromCurrent))];
}

/** A whole number as we write it. */
const WHOLE = /^\d{1,16}$/;

/** What is stored under a key, and what time it is. What is of another type counts as nothing. */
class State {
  readonly now: number;

  constructor(
    readonly context: EmbeddedScriptContext,
    readonly key: Argument,
  ) {
    this.now = context.now();
  }

  /** So many whole numbers, or nothing. */
  fields(count: number): readonly number[] | undefined {
    const parts = String(this.#tried('GET') ?? '').split(' ');
    return parts.length === count && parts.every((part) => WHOLE.test(part)) ? parts.map(Number) : undefined;
  }

  /** Of a list; undefined for what is none. */
  length(): number {
    const length = this.#tried('LLEN');
    return typeof length === 'number' ? length : -1;
  }

  timeAt(index: number): number {
    const time = String(this.context.call('LINDEX', this.key, index));
    return WHOLE.test(time) ? Number(time) : 0;
  }

  #tried(command: string): Reply {
    try {
      return this.context.call(command, this.key);
    } catch {
      // Of another type: nothing of ours.
      return null;
    }
  }
}

const fixedWindow: Algorithm = (state, cost, { limit, window }, isCounted) => {
  const [stored] = state.fields(1) ?? [];
  const ttl = stored === undefined ? window : Number(state.context.call('PTTL', state.key));
  // Servers keep a key in the millisecond in which it ends.
  const used = ttl === 0 ? undefined : stored;
  const isOdd = ttl < 0 || ttl > window;
  if (isOdd && isCounted) state.context.call('PEXPIRE', state.key, window);
  const left = isOdd || ttl === 0 ? window : ttl;
  const after = (used ?? 0) + cost;
  if (cost > 0 && after > limit) return { wait: left };
  const remaining = Math.max(0, limit - after);
  return { wait: 0, remaining, reset: after > 0 ? left : 0, state: String(after), life: left };
};

const slidingWindow: Algorithm = (state, cost, { limit, window }) => {
  const { start, counted, previous, ahead } = currentWindow(state, window);
  const rest = window - (state.now - start);
  const room = limit - counted - cost;
  if (cost > 0 && room < 0) {
    return { wait: ahead + rest + window - Math.ceil(((limit - cost + 1) * window) / counted) + 1 };
  }
  if (cost > 0 && Math.floor((previous * rest) / window) > room) {
    return { wait: ahead + rest - Math.ceil(((room + 1) * window) / previous) + 1 };
  }
  const current = counted + cost;
  const remaining = Math.max(0, limit - current - Math.floor((previous * rest) / window));
  const faded = fadedAfter(current, previous, rest, window);
  const reset = cost === 0 && faded > 0 ? ahead + faded : faded;
  return { wait: 0, remaining, reset, state: `${start} ${current} ${previous}`, life: rest + window };
};

/** Milliseconds until no whole call of a window is in sight. */
function fadedAfter(current: number, previous: number, rest: number, window: number): number {
  if (current > 0) return rest + window - Math.ceil(window / current) + 1;
  return previous * rest >= window ? rest - Math.ceil(window / previous) + 1 : 0;
}

function currentWindow(
  state: State,
  window: number,
): {
  readonly start: number;
  readonly counted: number;
  readonly previous: number;
  /** Milliseconds until a clock that was set back is where it was. */
  readonly ahead: number;
} {
  const { now } = state;
  const [start = 0, counted = 0, previous = 0] = state.fields(3) ?? [];
  const age = now - start;
  if (age < 0 && age >= -window) return { start: now, counted, previous, ahead: -age };
  if (age >= 0 && age < window) return { start, counted, previous, ahead: 0 };
  if (age >= window && age < 2 * window) return { start: start + window, counted: 0, previous: counted, ahead: 0 };
  return { start: now, counted: 0, previous: 0, ahead: 0 };
}

const tokenBucket: Algorithm = (state, cost, { limit, window, capacity }) => {
  const { now } = state;
  const full = capacity * window;
  const [stored = 0, at = 0] = state.fields(2) ?? [];
  const isOurs = at <= now + Math.ceil(full / limit);
  const ahead = isOurs ? Math.max(0, at - now) : 0;
  const level = isOurs ? Math.max(0, Math.min(stored, full) - Math.max(0, now - at) * limit) : 0;
  const after = level + cost * window;
  if (cost > 0 && after > full) return { wait: ahead + Math.ceil((after - full) / limit) };
  const drained = Math.ceil(after / limit);
  const remaining = Math.floor((full - after) / window);
  const reset = cost === 0 && drained > 0 ? ahead + drained : drained;
  return { wait: 0, remaining, reset, state: `${after} ${now}`, life: Math.max(1, drained) };
};

const slidingLog: Algorithm = (state, cost, { limit, window }) => {
  const { now } = state;
  const stored = state.length();
  const last = stored > 0 ? state.timeAt(-1) : now;
  const isOurs = stored >= 0 && last <= now + window;
  const newest = isOurs ? last : now;
  const length = isOurs ? stored : 0;
  const over = isOurs ? firstAlive(state, length, now - window) : -1;
  const alive = length - Math.max(0, over);
  if (cost > 0 && alive + cost > limit) {
    return { wait: Math.max(1, Math.min(state.timeAt(length - limit + cost - 1), newest) + window - now) };
  }
  const life = Math.max(newest, now) + window - now;
  const reset = cost > 0 ? life : alive > 0 ? Math.max(1, newest + window - now) : 0;
  return { wait: 0, remaining: Math.max(0, limit - alive - cost), reset, state: over, life };
};

/** How many times of a log, which is sorted, are at or before `horizon`. Of one that is not, as the script finds it. */
function firstAlive(state: State, length: number, horizon: number): number {
  if (length === 0 || state.timeAt(0) > horizon) return 0;
  let low = 1;
  let high = length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (state.timeAt(middle) <= horizon) low = middle + 1;
    else high = middle;
  }
  return low;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  f: fixedWindow,
  s: slidingWindow,
  b: tokenBucket,
  l: slidingLog,
};

/** A tier of one decision, with what it says. */
interface Counted {
  readonly rule: Rule;
  readonly state: State;
  readonly verdict: Verdict;
  /** After looking at its block. */
  readonly wait: number;
}

function decide(
  context: EmbeddedScriptContext,
  keys: readonly Argument[],
  args: readonly Argument[],
  isCounted: boolean,
): Reply {
  const answer: number[] = [];
  let position = 0;
  for (const { rules, cost, isSame } of readCalls(args)) {
    if (isSame) position -= rules.reduce((width, { block }) => width + (block > 0 ? 2 : 1), 0);
    const tiers = rules.map((rule): Counted => {
      const state = new State(context, keys[position++] ?? '');
      const verdict = count(state, cost, rule, isCounted);
      const block = rule.block > 0 ? new State(context, keys[position++] ?? '') : undefined;
      return { rule, state, verdict, wait: block ? blocked(block, cost, verdict.wait, rule, isCounted) : verdict.wait };
    });
    const longest = Math.max(...tiers.map(({ wait }) => wait));
    answer.push(longest > 0 ? tiers.findIndex(({ wait }) => wait === longest) + 1 : 0);
    for (const { rule, state, verdict } of tiers) {
      const shown = longest > 0 ? count(state, 0, rule, isCounted) : verdict;
      if (!('state' in shown)) continue;
      answer.push(shown.remaining, shown.reset);
      if (isCounted && longest === 0 && cost > 0) commit(state, cost, shown.state, shown.life);
    }
    if (longest > 0) answer.push(longest);
  }
  return packed(answer);
}

function count(state: State, cost: number, rule: Rule, isCounted: boolean): Verdict {
  return (ALGORITHMS[rule.letter] as Algorithm)(state, cost, rule, isCounted);
}

/** How long to wait when there may be a block, and a refusal makes one. */
function blocked(block: State, cost: number, wait: number, rule: Rule, isCounted: boolean): number {
  const [until = 0] = (cost > 0 && block.fields(1)) || [];
  const left = until - block.now;
  const longest = 2 * (rule.block + rule.window + rule.window * Math.max(1, rule.capacity / rule.limit));
  if (left > 0 && left <= longest) return Math.max(wait, left);
  if (wait === 0) return 0;
  const longer = Math.max(wait, rule.block);
  if (isCounted) block.context.call('SET', block.key, String(block.now + longer), 'PX', longer);
  return longer;
}

function commit(counter: State, cost: number, state: string | number, life: number): void {
  const { context, key, now } = counter;
  if (typeof state === 'string') {
    context.call('SET', key, state, 'PX', life);
    return;
  }
  if (state < 0) context.call('DEL', key);
  else if (state > 0) context.call('LPOP', key, state);
  const time = Math.max(now, counter.timeAt(-1));
  context.call('RPUSH', key, ...Array.from({ length: cost }, () => String(time)));
  context.call('PEXPIRE', key, life);
}

/** A decision that is asked for. */
interface Asked {
  readonly rules: readonly Rule[];
  readonly cost: number;
  /** About the subject of the one before. */
  readonly isSame: boolean;
}

/** The decisions that are asked for, one after the other. */
function* readCalls(args: readonly Argument[]): Generator<Asked> {
  let at = 1;
  const policies = Array.from({ length: Number(args[0]) }, () => {
    const tiers = Number(args[at]);
    at += 1;
    return Array.from({ length: tiers }, (): Rule => {
      const [letter = '', limit, window, capacity, block] = args.slice(at, at + 5).map(String);
      at += 5;
      return { letter, limit: Number(limit), window: Number(window), capacity: Number(capacity), block: Number(block) };
    });
  });
  for (; at < args.length; at += 4) {
    const [place = 0, cost = 0, subjects = 0, calls = 0] = args.slice(at, at + 4).map(Number);
    const rules = policies[place - 1] ?? [];
    for (let call = 0; call < subjects * calls; call += 1) yield { rules, cost, isSame: call % calls > 0 };
  }
}
