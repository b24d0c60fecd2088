import type { CacheClient } from '../../../lib/index.js';
import { defineScript, RateLimiter } from '../../../lib/index.js';
import type { Script } from '../../../lib/driver/script.js';
import type { Server } from '../../support/index.js';
import { BEGIN, plant, read, STRICT } from '../../unit/features/rate-limit/place.js';
import type { Place } from '../../unit/features/rate-limit/place.js';

/** When each key ends, by the clock of the test. */
const ENDS = 'ends';
const TIME = "redis.call('TIME')";

/**
 * The Lua of the scripts on a real server, at a time that a test chooses: TIME alone is replaced. Keys do not age between
 * two calls; within one the server's clock stands still, so their ttl is exact.
 */
export function serverPlace(server: Server, client: CacheClient): Place {
  const timed = new Map<Script, Script>();
  const withTime = (script: Script): Script => {
    let found = timed.get(script);
    if (!found) timed.set(script, (found = atTime(script)));
    return found;
  };
  const adapter = {
    topology: 'single',
    identity: client.identity,
    with: () => adapter,
    run: (
      script: Script,
      keys: readonly string[],
      args: readonly (string | number)[],
      options?: { binary?: boolean },
    ) => client.run(withTime(script), keys, [place.now, ...args], options),
    del: async (...keys: string[]) => {
      await client.hdel(ENDS, ...keys);
      return client.del(...keys);
    },
  };
  const place: Place = {
    now: BEGIN,
    limiter: (options) => new RateLimiter(adapter as unknown as CacheClient, { ...STRICT, ...options }),
    seed: async (key, { ttl, ...seed }) => {
      await plant(client, key, seed);
      if (ttl !== undefined) await client.hset(ENDS, { [key]: String(place.now + ttl) });
    },
    stored: async (key) => {
      const end = Number((await client.hget(ENDS, key)) ?? Infinity);
      if (end <= place.now) await adapter.del(key);
      return read(client, key, end === Infinity ? -1 : end - place.now);
    },
    empty: async () => void (await server.command('FLUSHALL')),
    close: () => Promise.resolve(),
  };
  return place;
}

function atTime({ name, lua }: Script): Script {
  const parts = lua.split(TIME);
  if (parts.length > 2) throw new Error(`the script ${name} looks at the clock more than once`);
  return defineScript({
    name: `timed-${name}`,
    lua: `
local present = tonumber(table.remove(ARGV, 1))
local function clock()
  return { string.format('%d', math.floor(present / 1000)), string.format('%d', present % 1000 * 1000) }
end
for _, key in ipairs(KEYS) do
  local over = tonumber(redis.call('HGET', '${ENDS}', key))
  if over and over <= present then redis.call('DEL', key) elseif over then redis.call('PEXPIRE', key, over - present) end
end
local ok, reply = pcall(function() ${parts.join('clock()')} end)
-- A subject that two limits are asked about is there twice.
local unique = {}
for _, key in ipairs(KEYS) do unique[key] = true end
for key in pairs(unique) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    redis.call('HSET', '${ENDS}', key, string.format('%d', present + left))
    redis.call('PERSIST', key)
  else
    redis.call('HDEL', '${ENDS}', key)
  end
end
if not ok then error(reply) end
return reply`,
  });
}
