import { defineScript } from '../driver/script.js';
import type { ScriptDefinition } from '../driver/script.js';

type Twin = NonNullable<ScriptDefinition['embedded']>;

/** What a script may find: "hits, end of the window, end of the block", each a whole number as we write it. */
const STATE = /^(\d{1,16}) (\d{1,16}) (\d{1,16})$/;
/** Nothing of ours ends later than that. */
const YEAR = 366 * 86_400_000;

const incrementTwin: Twin = (context, [key = ''], args) => {
  const [ttl = 0, limit = 0, block = 0] = args.map(Number);
  const now = context.now();
  let [hits, ends, blocked] = stored(() => context.call('GET', key));
  if (Math.max(ends, blocked) > now + YEAR) [hits, ends, blocked] = [0, 0, 0];
  const isBlocked = blocked > now;
  if (!isBlocked && (blocked > 0 || ends <= now)) [hits, ends] = [0, now + ttl];
  if (isBlocked || (hits >= limit && block === 0)) {
    const till = isBlocked ? blocked : ends;
    if (context.call('PTTL', key) === -1) context.call('PEXPIRE', key, Math.max(till, ends) - now);
    return [isBlocked ? hits : hits + 1, Math.max(0, ends - now), Math.max(1, till - now)];
  }
  blocked = hits >= limit ? now + block : 0;
  hits += 1;
  context.call('SET', key, `${hits} ${ends} ${blocked}`, 'PX', Math.max(1, ends - now, blocked - now));
  return [hits, ends - now, Math.max(0, blocked - now)];
};

function stored(get: () => unknown): [hits: number, ends: number, blocked: number] {
  const [, hits = 0, ends = 0, blocked = 0] = (STATE.exec(String(tried(get))) ?? []).map(Number);
  return [hits, ends, blocked];
}

function tried(get: () => unknown): unknown {
  try {
    return get();
  } catch {
    // Of another type: nothing of ours.
    return null;
  }
}

/**
 * Counts a hit, unless the key is blocked; one hit more than the limit blocks it, and when the block is over counting
 * begins anew. Without a block what is over the limit is refused until the window ends.
 * KEYS: the counter, "hits, end of the window, end of the block". ARGV: window, limit, block, the times in
 * milliseconds. Answers the hits, the milliseconds until the window ends, and those of the block (0: none).
 */
export const incrementHits = defineScript({
  name: 'throttler-increment',
  lua: `
local key, ttl, limit, block = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local hits, ends, blocked = 0, 0, 0
local state = redis.pcall('GET', key)
if type(state) == 'string' then
  local h, e, b = string.match(state, '^(%d+) (%d+) (%d+)$')
  if h and math.max(#h, #e, #b) <= 16 then hits, ends, blocked = tonumber(h), tonumber(e), tonumber(b) end
end
if math.max(ends, blocked) > now + ${YEAR} then hits, ends, blocked = 0, 0, 0 end
local isBlocked = blocked > now
if not isBlocked and (blocked > 0 or ends <= now) then hits, ends = 0, now + ttl end
if isBlocked or (hits >= limit and block == 0) then
  local till = isBlocked and blocked or ends
  if redis.call('PTTL', key) == -1 then redis.call('PEXPIRE', key, math.max(till, ends) - now) end
  return { isBlocked and hits or hits + 1, math.max(0, ends - now), math.max(1, till - now) }
end
blocked = hits >= limit and now + block or 0
hits = hits + 1
redis.call('SET', key, string.format('%d %d %d', hits, ends, blocked), 'PX', math.max(1, ends - now, blocked - now))
return { hits, ends - now, math.max(0, blocked - now) }`,
  embedded: incrementTwin,
});
