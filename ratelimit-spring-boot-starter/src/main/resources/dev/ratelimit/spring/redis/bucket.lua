-- Token buckets, one a key: all of a request that are in one slot, all or nothing. For Redis 6.2 and later, and Valkey.
--
-- A bucket is what it owes, its debt, and the instant of that, its anchor: as it is paid evenly, nothing is ever added. Debts
-- are counted in ticks. Under a limit of R tokens in P microseconds, in lowest terms, a microsecond is R ticks and a token P:
-- both are whole, and so is all that is counted here. Numbers are doubles, which hold whole numbers up to 2^53; where a sum or
-- product may be larger it is only compared with one that is not, and so its rounding decides nothing.
--
-- A value is a list in MessagePack: its version, the anchor, and for each limit the debt, the capacity C in tokens, R and P.
-- With these, limits may change, or not be the same for all who ask: a bucket keeps its tokens, as far as they fit. If tokens
-- were given back, the instant follows at which it would have been full otherwise: until then it is not known of what was taken
-- before how much has been paid, as those who gave back may have come first.
--
-- ARGV is the operation, a number that depends on it, and for each key: how many tokens, how many limits, and of each C, R and P.
--   consume, patience   takes the tokens if all keys have them, or will in as many microseconds
--   peek, patience      takes nothing
--   charge, 0           takes the tokens, there or not
--   refund, 0           gives tokens back
--   undo, instant       gives back what was taken at that instant, but for what has flowed in again since, or may have if that
--                       is not known; P is followed by the debt right after it was taken
-- The reply is whether tokens were taken, 1 or 0; the time; and each limit's debt before. Where a value is none of ours, it is
-- -1 and no more, and nothing was done.

local VERSION = 1
local MAX_DEBT = 2 ^ 53 - 1
local MAX_CLOCK_SKEW = 1000000 -- microseconds

local operation, number = ARGV[1], tonumber(ARGV[2])
local gives_back = operation == 'refund' or operation == 'undo'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Reads a key's part of ARGV, and returns where the next one begins.
local function read_claim(claim, at)
  claim.tokens = tonumber(ARGV[at])
  claim.limits = {}
  local fields = operation == 'undo' and 4 or 3
  at = at + 2
  for i = 1, tonumber(ARGV[at - 1]) do
    claim.limits[i] = {
      capacity = tonumber(ARGV[at]),
      rate = tonumber(ARGV[at + 1]),
      interval = tonumber(ARGV[at + 2]),
      after = tonumber(ARGV[at + 3]),
      debt = 0
    }
    at = at + fields
  end
  return at
end

-- Returns whether a list is a value of ours.
local function is_state(list)
  if type(list) ~= 'table' or list[1] ~= VERSION or #list < 6 or #list % 4 < 2 then
    return false
  end
  for i = 2, #list do
    local n = list[i]
    local least = (i == 2 or i % 4 == 3) and 0 or 1
    if type(n) ~= 'number' or not (n >= least and n <= MAX_DEBT and n % 1 == 0) then
      return false
    end
  end
  return true
end

-- Returns a * b / divisor, rounded up; a is less than the divisor. What is too large a product is divided bit by bit.
local function scaled(a, b, divisor)
  if a * b <= MAX_DEBT then
    return math.ceil(a * b / divisor)
  end
  local quotient, rest, bit = 0, 0, 2 ^ 52
  while bit >= 1 do
    quotient, rest = 2 * quotient, 2 * rest
    if rest >= divisor then
      quotient, rest = quotient + 1, rest - divisor
    end
    if b >= bit then
      b, rest = b - bit, rest + a
    end
    if rest >= divisor then
      quotient, rest = quotient + 1, rest - divisor
    end
    bit = bit / 2
  end
  return rest > 0 and quotient + 1 or quotient
end

-- Returns the debt under a limit of a bucket that had another one: it keeps its tokens.
local function carried(limit, old)
  local part = math.fmod(old.debt, old.interval) -- of a token; the rest of the debt is whole ones
  local tokens = (old.debt - part) / old.interval + limit.capacity - old.capacity
  local ticks = tokens * limit.interval + scaled(part, limit.interval, old.interval)
  return math.max(0, math.min(MAX_DEBT, ticks))
end

local function is_same(one, other)
  return one.capacity == other.capacity and one.rate == other.rate and one.interval == other.interval
end

-- Brings debts over to the limits asked for. One that was there before goes on from itself, and the others from those that are
-- gone, in their order; where these are not as many, from whichever of all left the fewest tokens.
local function carry(claim, olds)
  local gone, changed = {}, {}
  for i, old in ipairs(olds) do
    gone[i] = old
  end
  for _, limit in ipairs(claim.limits) do
    local same
    for i, old in ipairs(gone) do
      same = same or (is_same(limit, old) and i)
    end
    if same then
      limit.debt = table.remove(gone, same).debt
    else
      changed[#changed + 1] = limit
    end
  end
  for i, limit in ipairs(changed) do
    if #changed == #gone then
      limit.debt = carried(limit, gone[i])
    else
      for _, old in ipairs(olds) do
        limit.debt = math.max(limit.debt, carried(limit, old))
      end
    end
  end
  claim.carried = #changed > 0 or #gone > 0
  claim.changed = claim.changed or claim.carried
end

-- Returns whether a state is under just these limits, in this order.
local function has_limits(state, limits)
  if math.floor((#state - 2) / 4) ~= #limits then
    return false
  end
  for i, limit in ipairs(limits) do
    if state[4 * i] ~= limit.capacity or state[4 * i + 1] ~= limit.rate or state[4 * i + 2] ~= limit.interval then
      return false
    end
  end
  return true
end

-- Reads the debts of a key as they are now; returns false if its value is none of ours.
local function read_debts(claim)
  claim.anchor, claim.unknown_until = now, 0
  local value = redis.pcall('GET', claim.key)
  if not value then
    return true
  end
  local readable, state, more = pcall(cmsgpack.unpack, value)
  if not readable or more ~= nil or not is_state(state) then
    return false
  end
  local elapsed = now - state[2]
  if elapsed < -MAX_CLOCK_SKEW then
    claim.changed = true -- to the anchor of now, or nothing were paid until the clock has caught up
  elseif elapsed < 0 then
    claim.anchor = state[2]
  end
  claim.unknown_until = #state % 4 == 3 and state[#state] or 0
  elapsed = math.max(0, elapsed)
  if has_limits(state, claim.limits) then -- as nearly all have, and it saves making a copy
    for i, limit in ipairs(claim.limits) do
      limit.debt = math.max(0, state[4 * i - 1] - elapsed * limit.rate)
    end
    return true
  end
  local olds = {}
  for i = 3, #state - 3, 4 do
    local debt, rate = state[i], state[i + 2]
    debt = math.max(0, debt - elapsed * rate)
    olds[#olds + 1] = { debt = debt, capacity = state[i + 1], rate = rate, interval = state[i + 3] }
  end
  carry(claim, olds)
  return true
end

local function fits(limit, tokens, patience)
  local debt = limit.debt + tokens * limit.interval
  local burst = limit.capacity * limit.interval
  return tokens <= limit.capacity
    and (debt <= burst or (debt <= MAX_DEBT and debt - burst <= patience * limit.rate))
end

local function add(claim, limit, ticks)
  local debt = math.max(0, math.min(MAX_DEBT, limit.debt + ticks))
  claim.changed = claim.changed or debt ~= limit.debt
  limit.debt = debt
end

-- What an undo gives back: what was taken, as far as it lies ahead yet; in any case what cannot have flowed in since. Under other
-- limits that is not known, and these stay.
local function standing(claim, limit)
  local paid = math.max(0, now - number) * limit.rate
  local ticks = claim.tokens * limit.interval
  local ahead = claim.unknown_until > now and ticks or limit.after
  return math.max(0, math.min(ticks, ahead - paid))
end

-- Returns the microseconds until a bucket is full.
local function until_full(claim)
  local microseconds = 0
  for _, limit in ipairs(claim.limits) do
    microseconds = math.max(microseconds, limit.debt / limit.rate)
  end
  return claim.anchor - now + math.ceil(microseconds)
end

-- A value is kept for as long as it says anything.
local function write(claim)
  local state = { VERSION, claim.anchor }
  for _, limit in ipairs(claim.limits) do
    state[#state + 1] = limit.debt
    state[#state + 1] = limit.capacity
    state[#state + 1] = limit.rate
    state[#state + 1] = limit.interval
  end
  if claim.unknown_until > now then
    state[#state + 1] = claim.unknown_until
  end
  local milliseconds = math.ceil(math.max(until_full(claim), claim.unknown_until - now) / 1000) + 1000
  redis.call('SET', claim.key, cmsgpack.pack(state), 'PX', string.format('%.0f', milliseconds))
end

local claims, reply = {}, { 0, now }
local allowed, at = operation == 'consume', 3
for i, key in ipairs(KEYS) do
  local claim = { key = key }
  at = read_claim(claim, at)
  if not read_debts(claim) then
    return { -1 }
  end
  for _, limit in ipairs(claim.limits) do
    reply[#reply + 1] = limit.debt
    allowed = allowed and fits(limit, claim.tokens, number)
  end
  claims[i] = claim
end

if operation == 'peek' then
  return reply
end
for _, claim in ipairs(claims) do
  local full = gives_back and now + until_full(claim)
  for _, limit in ipairs(claim.limits) do
    local ticks = claim.tokens * limit.interval
    if allowed or operation == 'charge' then
      add(claim, limit, ticks)
    elseif operation == 'refund' then
      add(claim, limit, -ticks)
    elseif operation == 'undo' then
      add(claim, limit, -standing(claim, limit))
    end
  end
  if claim.changed and not (operation == 'undo' and claim.carried) then
    if gives_back then
      claim.unknown_until = math.min(MAX_DEBT, math.max(claim.unknown_until, full))
    end
    write(claim)
  end
end
reply[1] = allowed and 1 or 0
return reply
