import type { Argument } from '../../driver/reply.js';
import { defineScript } from '../../driver/script.js';
import type { EmbeddedScriptContext } from '../../driver/script.js';

/**
 * A record is a line "state token fingerprint" and behind it a result: `p` is a claim, whose work is under way, `d` is
 * done, `x` is done without a result that could be given again. What is not of this form is nobody's, and counts as nothing.
 */
const HEAD = `local function head(key)
  local record = redis.pcall('GET', key)
  if type(record) ~= 'string' then return nil end
  return string.match(record, '^([pdx]) ([!-~]+) ([!-~]+)\\n(.*)$')
end
`;

/**
 * Claims a piece of work, if nobody has.
 * KEYS: record. ARGV: own token, fingerprint, milliseconds of the claim. Answers [0] when it is ours, [1, milliseconds the
 * other claim has left], [2] when the key was used for something else, [3, result], [4] for one without a result.
 * Safe to repeat: who finds its own token has the claim.
 */
export const claimWork = defineScript({
  name: 'idempotency-claim',
  retrySafe: true,
  lua: `${HEAD}
local state, token, print, result = head(KEYS[1])
if state == nil or (state == 'p' and token == ARGV[1]) then
  redis.call('SET', KEYS[1], 'p ' .. ARGV[1] .. ' ' .. ARGV[2] .. '\\n', 'PX', ARGV[3])
  return {0}
end
if print ~= ARGV[2] then return {2} end
if state == 'x' then return {4} end
if state == 'd' then return {3, result} end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  left = tonumber(ARGV[3])
end
return {1, left}`,
  embedded: (context, [key = ''], [own = '', print = '', milliseconds = '']) => {
    const record = read(context, key);
    if (!record || (record.state === 'p' && record.token === textOf(own))) {
      context.call('SET', key, `p ${textOf(own)} ${textOf(print)}\n`, 'PX', milliseconds);
      return [0];
    }
    if (record.print !== textOf(print)) return [2];
    if (record.state === 'x') return [4];
    if (record.state === 'd') return [3, record.result];
    const left = Number(context.call('PTTL', key));
    if (left >= 0) return [1, left];
    context.call('PEXPIRE', key, milliseconds);
    return [1, Number(textOf(milliseconds))];
  },
});

/** Makes a claim last longer, if it is still ours. KEYS: record. ARGV: own token, milliseconds. Answers 1 or 0. */
export const renewClaim = defineScript({
  name: 'idempotency-renew',
  retrySafe: true,
  lua: `${HEAD}
local state, token = head(KEYS[1])
if state ~= 'p' or token ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  embedded: (context, [key = ''], [own = '', milliseconds = '']) =>
    isClaimedBy(context, key, own) ? context.call('PEXPIRE', key, milliseconds) : 0,
});

/**
 * Puts the result in place of the claim, if nobody else has the key: a claim that ran out, or that a failover lost, was
 * work that is done by now all the same.
 * KEYS: record. ARGV: own token, fingerprint, state, milliseconds, result. Answers 1 or 0. Safe to repeat: a result with our
 * token is ours.
 */
export const completeWork = defineScript({
  name: 'idempotency-complete',
  retrySafe: true,
  lua: `${HEAD}
local state, token = head(KEYS[1])
if state ~= nil and token ~= ARGV[1] then return 0 end
if state == nil or state == 'p' then
  redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. ARGV[1] .. ' ' .. ARGV[2] .. '\\n' .. ARGV[5], 'PX', ARGV[4])
end
return 1`,
  embedded: (context, [key = ''], [own = '', print = '', state = '', milliseconds = '', result = '']) => {
    const record = read(context, key);
    if (record && record.token !== textOf(own)) return 0;
    if (!record || record.state === 'p') {
      const head = Buffer.from(`${textOf(state)} ${textOf(own)} ${textOf(print)}\n`, 'latin1');
      const body = typeof result === 'string' ? Buffer.from(result) : result;
      context.call('SET', key, Buffer.concat([head, body]), 'PX', milliseconds);
    }
    return 1;
  },
});

/** Gives a claim up, if it is still ours: the next one may try. KEYS: record. ARGV: own token. Answers 1 or 0. */
export const releaseClaim = defineScript({
  name: 'idempotency-release',
  retrySafe: true,
  lua: `${HEAD}
local state, token = head(KEYS[1])
if state ~= 'p' or token ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`,
  embedded: (context, [key = ''], [own = '']) => (isClaimedBy(context, key, own) ? context.call('DEL', key) : 0),
});

/** A record as it is stored. */
interface StoredRecord {
  readonly state: string;
  readonly token: string;
  readonly print: string;
  readonly result: Buffer;
}

function isClaimedBy(context: EmbeddedScriptContext, key: Argument, own: Argument): boolean {
  const record = read(context, key);
  return record?.state === 'p' && record.token === textOf(own);
}

function read(context: EmbeddedScriptContext, key: Argument): StoredRecord | undefined {
  const stored = storedText(context, key);
  if (stored === undefined) return undefined;
  const line = stored.toString('latin1', 0, stored.indexOf('\n') + 1);
  const match = /^([pdx]) ([!-~]+) ([!-~]+)\n$/.exec(line);
  const [, state = '', token = '', print = ''] = match ?? [];
  return match ? { state, token, print, result: stored.subarray(line.length) } : undefined;
}

/** What stands there, if it is text. */
function storedText(context: EmbeddedScriptContext, key: Argument): Buffer | undefined {
  if (context.call('TYPE', key) !== 'string') return undefined;
  const stored = context.call('GET', key);
  return Buffer.isBuffer(stored) ? stored : Buffer.from(String(stored));
}

function textOf(argument: Argument): string {
  return typeof argument === 'string' ? argument : argument.toString('latin1');
}
