import { defineScript } from '../../driver/script.js';
import { PACK } from './figures.js';
import { checkTwin, decideTwin, refundTwin } from './limit-twins.js';

/**
 * The algorithms. Each gives, for a counter's state and what a call costs, the milliseconds to wait; for what fits 0, what remains,
 * the milliseconds until all of it is back, the new state and for how long it is to be stored. What costs nothing always fits. Every figure is a whole number below 2^53, so
 * that a number of Lua holds it exactly, as one of JavaScript does. State that is not ours, or that only a clock set back
 * by more than a window could explain, counts as none: it is overwritten. A clock set back by less is waited for, which
 * the answer says.
 */
const algorithms = (isCounted: boolean): string => `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local call, pcall, tonumber, KEYS, ARGV = redis.call, redis.pcall, tonumber, KEYS, ARGV
local match, format, floor, ceil, min, max = string.match, string.format, math.floor, math.ceil, math.min, math.max
local states, algorithms = {}, {}

-- A whole number as we write it, and nothing else that Lua takes for a number.
local function whole(text)
  return type(text) == 'string' and #text <= 16 and tonumber(match(text, '^%d+$')) or nil
end

-- A fixed window: a number that expires. One without an end gets one, and so does one that ends too late.
function states.f(key, window)
  local used = whole(pcall('GET', key))
  if not used then return nil, window end
  local left = call('PTTL', key)
  -- Servers keep a key in the millisecond in which it ends.
  if left == 0 then return nil, window end
  if left < 0 or left > window then
    left = window
    ${isCounted ? `call('PEXPIRE', key, window)` : ''}
  end
  return used, left
end

function algorithms.f(used, left, cost, limit)
  local after = (used or 0) + cost
  if cost > 0 and after > limit then return left end
  return 0, max(0, limit - after), after > 0 and left or 0, after, left
end

-- A sliding window, "start current previous". Of the previous one whole calls count: parts would keep a limit of 1 shut for two windows.
function states.s(key) return pcall('GET', key) end

function algorithms.s(state, _, cost, limit, window)
  local start, current, previous, ahead = now, 0, 0, 0
  if type(state) == 'string' then
    local s, c, p = match(state, '^(%d+) (%d+) (%d+)$')
    if s and max(#s, #c, #p) <= 16 then
      local age = now - s
      if age < 0 and age >= -window then s, age, ahead = now, 0, -age end
      if age >= 0 and age < window then
        start, current, previous = tonumber(s), tonumber(c), tonumber(p)
      elseif age >= window and age < 2 * window then
        start, previous = s + window, tonumber(c)
      end
    end
  end
  local rest = window - (now - start)
  if cost > 0 then
    local room = limit - current - cost
    if room < 0 then
      return ahead + rest + window - ceil((limit - cost + 1) * window / current) + 1
    end
    if floor(previous * rest / window) > room then return ahead + rest - ceil((room + 1) * window / previous) + 1 end
  end
  current = current + cost
  local reset = 0
  if current > 0 then
    reset = rest + window - ceil(window / current) + 1
  elseif previous * rest >= window then
    reset = rest - ceil(window / previous) + 1
  end
  if cost == 0 and reset > 0 then reset = ahead + reset end
  return 0, max(0, limit - current - floor(previous * rest / window)), reset, format('%d %d %d', start, current, previous), rest + window
end

-- A token bucket, "level at": the level is what was taken, times the window, and sinks by the limit each millisecond.
states.b = states.s

function algorithms.b(state, _, cost, limit, window, capacity)
  local full, level, ahead = capacity * window, 0, 0
  if type(state) == 'string' then
    local l, a = match(state, '^(%d+) (%d+)$')
    if l and max(#l, #a) <= 16 and tonumber(a) <= now + ceil(full / limit) then
      ahead = max(0, a - now)
      level = max(0, min(tonumber(l), full) - max(0, now - a) * limit)
    end
  end
  local after = level + cost * window
  if cost > 0 and after > full then return ahead + ceil((after - full) / limit) end
  local drained = ceil(after / limit)
  local reset = drained
  if cost == 0 and drained > 0 then reset = ahead + drained end
  return 0, floor((full - after) / window), reset, format('%d %d', after, now), max(1, drained)
end

-- A sliding log, a list of the times, oldest first: it is read where it is, and what to store is how many are over, or -1 for all.
function states.l(key) return key end

function algorithms.l(key, _, cost, limit, window)
  local length = pcall('LLEN', key)
  local over = 0
  if type(length) ~= 'number' then length, over = 0, -1 end
  local newest = now
  if length > 0 then
    newest = whole(call('LINDEX', key, -1)) or 0
    if newest > now + window then length, over, newest = 0, -1, now end
  end
  local function isOver(index) return (whole(call('LINDEX', key, index)) or 0) + window <= now end
  if length > 0 and isOver(0) then
    local low, high = 1, length
    while low < high do
      local middle = floor((low + high) / 2)
      if isOver(middle) then low = middle + 1 else high = middle end
    end
    over = low
  end
  local alive = length - max(0, over)
  if cost > 0 and alive + cost > limit then
    local last = whole(call('LINDEX', key, length - limit + cost - 1)) or 0
    return max(1, min(last, newest) + window - now)
  end
  local life, reset = max(newest, now) + window - now, 0
  if cost > 0 then reset = life elseif alive > 0 then reset = max(1, newest + window - now) end
  return 0, max(0, limit - alive - cost), reset, over, life
end
`;

/** Stores what is admitted: what calls cost together, and what the last of them has left. */
const COMMIT = `
local function commit(key, letter, cost, state, life, isNew)
  if letter == 'f' then
    if isNew or type(pcall('INCRBY', key, cost)) ~= 'number' then call('SET', key, state, 'PX', life) end
  elseif letter ~= 'l' then
    call('SET', key, state, 'PX', life)
  else
    if state < 0 then call('DEL', key) elseif state > 0 then call('LPOP', key, state) end
    local time = format('%d', max(now, whole(call('LINDEX', key, -1)) or 0))
    local times = {}
    for i = 1, cost do
      times[#times + 1] = time
      if #times == 1000 then
        call('RPUSH', key, unpack(times))
        times = {}
      end
    end
    if #times > 0 then call('RPUSH', key, unpack(times)) end
    call('PEXPIRE', key, life)
  end
end
`;

/** Reads the policies: how many, and each as its number of tiers and five figures for each of them. */
const POLICIES = `
local policies, at = {}, 1
for i = 1, tonumber(ARGV[1]) do
  local tiers = {}
  for tier = 1, tonumber(ARGV[at + 1]) do
    local letter = ARGV[at + 2]
    tiers[tier] = {
      letter = letter, read = states[letter], decide = algorithms[letter],
      limit = tonumber(ARGV[at + 3]), window = tonumber(ARGV[at + 4]), capacity = tonumber(ARGV[at + 5]), block = tonumber(ARGV[at + 6]),
    }
    at = at + 5
  end
  at = at + 1
  policies[i] = tiers
end
`;

const decide = (isCounted: boolean): string => `${algorithms(isCounted)}${isCounted ? COMMIT : ''}${POLICIES}
local answer, size, position = {}, 0, 0
-- Of the subject that is being decided on, by tiers.
local keys, blocks, olds, ends, news, lives, isNew = {}, {}, {}, {}, {}, {}, {}

local function decide(tiers, cost)
  local refusing, longest = 0, 0
  local first = size + 1
  size = first
  for i = 1, #tiers do
    local tier = tiers[i]
    local wait, remaining, reset, state, life = tier.decide(olds[i], ends[i], cost, tier.limit, tier.window, tier.capacity)
    if tier.block > 0 then
      local blocked = cost > 0 and whole(pcall('GET', blocks[i])) or 0
      if blocked > now and blocked <= now + 2 * (tier.block + tier.window + tier.window * max(1, tier.capacity / tier.limit)) then
        if blocked - now > wait then wait = blocked - now end
      elseif wait > 0 then
        wait = max(wait, tier.block)
        ${isCounted ? `call('SET', blocks[i], now + wait, 'PX', wait)` : ''}
      end
    end
    if wait > longest then refusing, longest = i, wait end
    answer[size + 1], answer[size + 2] = remaining, reset
    size = size + 2
    news[i], lives[i] = state, life
  end
  answer[first] = refusing
  if refusing == 0 then return true end
  for i = 1, #tiers do
    local tier = tiers[i]
    local _, remaining, reset = tier.decide(olds[i], ends[i], 0, tier.limit, tier.window, tier.capacity)
    answer[first + 2 * i - 1], answer[first + 2 * i] = remaining, reset
  end
  size = size + 1
  answer[size] = longest
end

while at < #ARGV do
  local tiers, cost = policies[tonumber(ARGV[at + 1])], tonumber(ARGV[at + 2])
  local subjects, calls = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  at = at + 4
  for _ = 1, subjects do
    for i = 1, #tiers do
      local tier = tiers[i]
      position = position + 1
      keys[i] = KEYS[position]
      if tier.block > 0 then
        position = position + 1
        blocks[i] = KEYS[position]
      end
      olds[i], ends[i] = tier.read(keys[i], tier.window)
      isNew[i] = not olds[i]
    end
    local admitted = 0
    for done = 1, calls do
      local from = size
      if not decide(tiers, cost) then
        -- The same again, for whoever asks the same in this moment.
        local width = size - from
        for i = size + 1, size + (calls - done) * width do answer[i] = answer[i - width] end
        size = size + (calls - done) * width
        break
      end
      admitted = admitted + 1
    ${
      isCounted
        ? `if cost > 0 then
        for i = 1, #tiers do
          local tier = tiers[i]
          if tier.letter == 'l' then commit(keys[i], 'l', cost, news[i], lives[i]) else olds[i], ends[i] = news[i], lives[i] end
        end
      end`
        : ''
    }
    end
    ${
      isCounted
        ? `if cost > 0 and admitted > 0 then
      for i = 1, #tiers do
        local letter = tiers[i].letter
        if letter ~= 'l' then commit(keys[i], letter, cost * admitted, olds[i], ends[i], isNew[i]) end
      end
    end`
        : ''
    }
  end
end
return ${PACK}`;

/**
 * Decides, and counts what is admitted: for each decision all tiers or none. A refusal writes nothing but a block that
 * was asked for.
 * KEYS: for each subject and tier its counter, and its block if it has one. ARGV: the policies, then for each run of
 * subjects their policy, the cost of a call, how many subjects they are and how many calls each of them makes. Answers (see `figures.ts`) for each decision the tier to wait
 * for longest (0: admitted), for each tier what remains and the milliseconds until all of it is back, then, if it was
 * refused, the milliseconds to wait.
 */
export const decideLimits = defineScript({ name: 'limit-decide', lua: decide(true), embedded: decideTwin });

/** Tells what {@link decideLimits} would answer, and changes nothing. */
export const checkLimits = defineScript({
  name: 'limit-check',
  readOnly: true,
  lua: decide(false),
  embedded: checkTwin,
});

/**
 * Takes back what was counted last, as far as it still counts.
 * KEYS: the counters of one subject. ARGV: cost, then for each counter its algorithm's letter and its window.
 */
export const refundLimits = defineScript({
  name: 'limit-refund',
  lua: `
local cost = tonumber(ARGV[1])
local forms = { f = '^(%d+)$', s = '^(%d+) (%d+) (%d+)$', b = '^(%d+) (%d+)$' }
for i, key in ipairs(KEYS) do
  local letter, window = ARGV[2 * i], tonumber(ARGV[2 * i + 1])
  if letter == 'l' then
    local length = redis.pcall('LLEN', key)
    if type(length) == 'number' and length > 0 then redis.call('RPOP', key, math.min(cost, length)) end
  else
    local state = redis.pcall('GET', key)
    local fields = type(state) == 'string' and { string.match(state, forms[letter]) } or {}
    local isOurs = #fields > 0
    for place, field in ipairs(fields) do
      isOurs = isOurs and #field <= 16
      fields[place] = tonumber(field)
    end
    if not isOurs then
      -- Nothing of ours: the next decision overwrites it.
    elseif letter == 's' then
      local fromCurrent = math.min(cost, fields[2])
      fields[2], fields[3] = fields[2] - fromCurrent, math.max(0, fields[3] - (cost - fromCurrent))
      redis.call('SET', key, string.format('%d %d %d', fields[1], fields[2], fields[3]), 'KEEPTTL')
    elseif letter == 'f' then
      redis.call('SET', key, string.format('%d', math.max(0, fields[1] - cost)), 'KEEPTTL')
    else
      fields[1] = math.max(0, fields[1] - cost * window)
      redis.call('SET', key, string.format('%d %d', fields[1], fields[2]), 'KEEPTTL')
    end
  end
end
return 1`,
  embedded: refundTwin,
});
