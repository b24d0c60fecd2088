import { defineScript } from '../../driver/script.js';
import type { EmbeddedScriptContext } from '../../driver/script.js';
import type { Argument } from '../../driver/reply.js';
import { HEAD } from './entry.js';

/** Stands in place of a lease after a failed load, while a stale value is served. */
export const REST = 'rest';

const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/**
 * Takes the lease of an entry, but looks again first: somebody may have filled it since the caller read it.
 * KEYS: entry, lease. ARGV: own lease, its milliseconds, head of the entry seen, how: `polite`, `urgent` (a rest after a
 * failed load is not kept), or `force` (it is taken from whoever has it). What
 * is not written by us counts as nothing.
 * Answers [0, entry, now], [1, milliseconds the other lease has left, now], or [2, 0, now] when it is ours.
 * Safe to repeat: who finds its own lease has it.
 */
export const takeLease = defineScript({
  name: 'cache-lease',
  retrySafe: true,
  lua: `${NOW}
if ARGV[4] ~= 'force' then
  local head = redis.pcall('GETRANGE', KEYS[1], 0, ${HEAD - 1})
  if type(head) == 'string' and string.sub(head, 1, 4) == 'nv1 ' and head ~= ARGV[3] then return {0, redis.call('GET', KEYS[1]), now} end
  local held = redis.call('GET', KEYS[2])
  if held == '${REST}' and ARGV[4] == 'urgent' then held = false end
  if held and held ~= ARGV[1] then return {1, redis.call('PTTL', KEYS[2]), now} end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {2, 0, now}`,
  embedded: (context, [entry = '', lease = ''], [own = '', milliseconds = '', seen = '', how = '']) => {
    const now = context.now();
    if (text(how) !== 'force') {
      const head = headOf(context, entry);
      if (head.startsWith('nv1 ') && head !== text(seen)) return [0, context.call('GET', entry), now];
      const held = context.call('GET', lease);
      const isResting = held !== null && text(held as Argument) === REST && text(how) === 'urgent';
      if (held !== null && !isResting && text(held as Argument) !== text(own))
        return [1, context.call('PTTL', lease), now];
    }
    context.call('SET', lease, own, 'PX', milliseconds);
    return [2, 0, now];
  },
});

/**
 * Writes an entry, if the lease is still ours: an eviction has taken it away, and so it wins. An empty lease writes in
 * any case, and ends the load of whoever has it.
 * KEYS: entry, lease. ARGV: lease, head, milliseconds it is fresh, milliseconds it lives, tail of the header, value.
 * Answers the server's time, or 0 when it was refused. Safe to repeat: an entry with our id is our own.
 */
export const fillEntry = defineScript({
  name: 'cache-fill',
  retrySafe: true,
  lua: `${NOW}
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then
  local head = redis.pcall('GETRANGE', KEYS[1], 0, ${HEAD - 1})
  if head == ARGV[2] then return now end
  return 0
end
local times = string.format(' %013.0f %013.0f', now + ARGV[3], now + ARGV[4])
redis.call('SET', KEYS[1], ARGV[2] .. times .. ARGV[5] .. ARGV[6], 'PX', ARGV[4])
redis.call('DEL', KEYS[2])
return now`,
  embedded: (context, [entry = '', lease = ''], args) => {
    const [own = '', head = '', fresh = '', life = '', tail = '', value = ''] = args;
    const now = context.now();
    if (text(own) !== '') {
      const held = context.call('GET', lease);
      if (held === null || text(held as Argument) !== text(own)) return headOf(context, entry) === text(head) ? now : 0;
    }
    const times = ` ${padded(now + Number(text(fresh)))} ${padded(now + Number(text(life)))}`;
    const header = text(head) + times + text(tail);
    const whole = typeof value === 'string' ? header + value : Buffer.concat([Buffer.from(header), value]);
    context.call('SET', entry, whole, 'PX', life);
    context.call('DEL', lease);
    return now;
  },
});

/**
 * Keeps, replaces or gives up a lease, if it is still ours.
 * KEYS: lease. ARGV: own lease, what to put in its place, its milliseconds or 0 to give it up. Answers 1, or 0 when it
 * is not ours any more.
 */
export const changeLease = defineScript({
  name: 'cache-change-lease',
  retrySafe: true,
  lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`,
  embedded: (context, [lease = ''], [own = '', other = '', milliseconds = '']) => {
    const held = context.call('GET', lease);
    if (held === null || text(held as Argument) !== text(own)) return 0;
    if (text(milliseconds) === '0') context.call('DEL', lease);
    else context.call('SET', lease, other, 'PX', milliseconds);
    return 1;
  },
});

/**
 * The generation under a name; where there is none, a new one.
 * KEYS: generation. ARGV: new generation, its milliseconds. Safe to repeat: it answers what is there.
 */
export const mintGeneration = defineScript({
  name: 'cache-mint',
  retrySafe: true,
  lua: `local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`,
  embedded: (context, [name = ''], [fresh = '', milliseconds = '']) => {
    const known = context.call('GET', name);
    if (known !== null) return known;
    context.call('SET', name, fresh, 'PX', milliseconds);
    return fresh;
  },
});

/** Writes new generations. KEYS: generations. ARGV: milliseconds, then one for each. */
export const renewGenerations = defineScript({
  name: 'cache-renew',
  retrySafe: true,
  lua: `for i, name in ipairs(KEYS) do redis.call('SET', name, ARGV[i + 1], 'PX', ARGV[1]) end
return #KEYS`,
  embedded: (context, names, [milliseconds = '', ...fresh]) => {
    for (const [index, name] of names.entries()) context.call('SET', name, fresh[index] ?? '', 'PX', milliseconds);
    return names.length;
  },
});

/** The server's time in milliseconds, of the node that serves a key. */
export const serverTime = defineScript({
  name: 'cache-time',
  readOnly: true,
  lua: `${NOW}
return now`,
  embedded: (context) => context.now(),
});

function headOf(context: EmbeddedScriptContext, entry: Argument): string {
  try {
    return text(context.call('GETRANGE', entry, 0, HEAD - 1) as Argument);
  } catch {
    // Of another type: no entry of ours, whatever it is.
    return '';
  }
}

function padded(time: number): string {
  return String(time).padStart(13, '0');
}

function text(argument: Argument): string {
  return typeof argument === 'string' ? argument : argument.toString('latin1');
}
