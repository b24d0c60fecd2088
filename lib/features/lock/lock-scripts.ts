import type { Argument } from '../../driver/reply.js';
import { defineScript } from '../../driver/script.js';
import type { EmbeddedScriptContext } from '../../driver/script.js';

/**
 * Takes a lock that nobody holds. Its fencing token is the server's time in microseconds, or one more than the last: it
 * grows also when the last one is forgotten.
 * KEYS: lock, its last fencing token, the mark that somebody waits. ARGV: own token, milliseconds of the lock, of the
 * fencing token, and of the mark or 0 not to wait. Answers [1, fencing token], or [0, milliseconds the other one has left,
 * -1 for ever]. Safe to repeat: who finds its own token has it.
 */
export const takeLock = defineScript({
  name: 'lock-take',
  retrySafe: true,
  lua: `local held = redis.call('GET', KEYS[1])
if held then
  local own, fence = string.match(held, '^(%S+) (%d+)$')
  if own == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return {1, tonumber(fence)}
  end
  if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[4]) end
  local left = redis.call('PTTL', KEYS[1])
  -- Whoever took its end from it: it shall not last for ever.
  if left == -1 and own then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return {0, left}
end
local t = redis.call('TIME')
local fence = math.max(t[1] * 1000000 + t[2], (tonumber(redis.call('GET', KEYS[2])) or 0) + 1)
local text = string.format('%.0f', fence)
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. text, 'PX', ARGV[2])
return {1, fence}`,
  embedded: (
    context,
    [lock = '', last = '', awaited = ''],
    [own = '', milliseconds = '', remembered = '', mark = ''],
  ) => {
    const held = textOf(context, lock);
    if (held !== undefined) {
      const [, holder, known] = /^(\S+) (\d+)$/.exec(held) ?? [];
      if (holder === String(own)) {
        context.call('PEXPIRE', lock, milliseconds);
        return [1, Number(known)];
      }
      if (String(mark) !== '0') context.call('SET', awaited, '1', 'NX', 'PX', mark);
      const left = context.call('PTTL', lock);
      if (left === -1 && holder !== undefined) context.call('PEXPIRE', lock, milliseconds);
      return [0, left];
    }
    const fence = Math.max(context.now() * 1_000, Number(textOf(context, last) ?? 0) + 1);
    context.call('SET', last, String(fence), 'PX', remembered);
    context.call('SET', lock, `${String(own)} ${fence}`, 'PX', milliseconds);
    return [1, fence];
  },
});

/** Makes a lock last so much longer from now on, if it is still ours. KEYS: lock. ARGV: own token, milliseconds. Answers 1 or 0. */
export const extendLock = defineScript({
  name: 'lock-extend',
  retrySafe: true,
  lua: `local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S+') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  embedded: (context, [lock = ''], [own = '', milliseconds = '']) =>
    isOurs(context, lock, own) ? context.call('PEXPIRE', lock, milliseconds) : 0,
});

/**
 * Gives a lock back, if it is still ours, and touches the mark if somebody waits: that is what they hear of.
 * KEYS: lock, the mark. ARGV: own token, milliseconds of the mark. Answers 1 or 0. Repeated it would answer 0 for a lock it
 * has given back itself.
 */
export const releaseLock = defineScript({
  name: 'lock-release',
  lua: `local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S+') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'XX', 'PX', ARGV[2])
return 1`,
  embedded: (context, [lock = '', awaited = ''], [own = '', mark = '']) => {
    if (!isOurs(context, lock, own)) return 0;
    context.call('DEL', lock);
    context.call('SET', awaited, '1', 'XX', 'PX', mark);
    return 1;
  },
});

/**
 * Lets a lock have a higher fencing token: the one a majority of servers agreed on.
 * KEYS: lock, its last fencing token. ARGV: own token, fencing token, milliseconds it is remembered. Answers 1 or 0.
 */
export const raiseFence = defineScript({
  name: 'lock-raise',
  retrySafe: true,
  lua: `local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S+') ~= ARGV[1] then return 0 end
if tonumber(string.match(held, '%d+$')) >= tonumber(ARGV[2]) then return 1 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'KEEPTTL')
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`,
  embedded: (context, [lock = '', last = ''], [own = '', fence = '', remembered = '']) => {
    if (!isOurs(context, lock, own)) return 0;
    if (Number(textOf(context, lock)?.split(' ')[1]) >= Number(fence)) return 1;
    context.call('SET', lock, `${String(own)} ${String(fence)}`, 'KEEPTTL');
    context.call('SET', last, fence, 'PX', remembered);
    return 1;
  },
});

/**
 * Writes a value, unless somebody with a higher fencing token has written before.
 * KEYS: the value's key, the mark of the highest token. ARGV: fencing token, value, milliseconds of the value, 0 for ever, and
 * of the mark, which lasts for ever where the value does. Answers 1 or 0. Safe to repeat: the same token writes the same.
 */
export const setFenced = defineScript({
  name: 'lock-set-fenced',
  retrySafe: true,
  lua: `local highest = tonumber(redis.call('GET', KEYS[2])) or 0
if highest > tonumber(ARGV[1]) then return 0 end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[2], ARGV[1])
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1`,
  embedded: (context, [key = '', mark = ''], [fence = '', value = '', milliseconds = '', remembered = '']) => {
    if (Number(textOf(context, mark) ?? 0) > Number(fence)) return 0;
    const lasting = String(milliseconds) === '0';
    context.call('SET', mark, fence, ...(lasting ? [] : ['PX', remembered]));
    context.call('SET', key, value, ...(lasting ? [] : ['PX', milliseconds]));
    return 1;
  },
});

function isOurs(context: EmbeddedScriptContext, lock: Argument, own: Argument): boolean {
  return textOf(context, lock)?.split(' ')[0] === String(own);
}

function textOf(context: EmbeddedScriptContext, key: Argument): string | undefined {
  const stored = context.call('GET', key);
  return stored === null ? undefined : String(stored);
}
