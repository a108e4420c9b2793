-- Token buckets, one a key. A call holds requests, each about one or several keys, all or nothing; they come one after another,
-- as those of a call of their own would. For Redis 6.2 and later, and Valkey.
--
-- A bucket is what it owes, its debt, and the instant of that, its anchor: as it is paid evenly, nothing is ever added. Debts
-- are counted in ticks. Under a limit of R tokens in P microseconds, in lowest terms, a microsecond is R ticks and a token P:
-- both are whole, and so is all that is counted here. Numbers are doubles, which hold whole numbers up to 2^53; where a sum or
-- product may be larger it is only compared with one that is not, and so its rounding decides nothing.
--
-- A value begins with the terms of its bucket, in MessagePack: the version, how many limits, and of each the capacity C in
-- tokens, R and P. With these, limits may change, or not be the same for all who ask: a bucket keeps its tokens, as far as they
-- fit. Then come, as doubles, the anchor and the debt under each limit. Two instants follow where the debt alone does not tell
-- what has been paid of what was taken before. Until the first one others may have given back who came earlier: it is when the
-- bucket would have been full otherwise. What was taken by the second one is forgotten: that is when the bucket was filled, or
-- just before it came under other limits.
--
-- KEYS are those of all requests, and ARGV is the call and for each key the terms that are asked for. The call is in MessagePack
-- and has for each request how many numbers and words it takes, the operation, a number that depends on it, how many keys it is
-- about, and for each how many tokens.
--   consume, patience   takes the tokens if all keys have them, or will in as many microseconds
--   peek, patience      takes nothing
--   charge, 0           takes the tokens, there or not
--   refund, 0           gives tokens back
--   undo, instant       gives back what was taken at that instant, but for what has flowed in again since, or may have if that
--                       is not known; after the tokens come the debts as they were when these had been taken
--   reset, 0            fills the buckets, whatever their values are
-- The reply has for each request whether tokens were taken, as a byte, and as doubles the time and each limit's debt before. A
-- byte alone says that a value is none of ours, and that nothing was done.
--
-- All of Redis waits meanwhile: so what nearly every request needs is in the two loops of the last function, which make few
-- tables and strings, and what few need is made when they do.

local VERSION = 2
local MAX_NUMBER = 2 ^ 53 - 1
local MAX_CLOCK_SKEW = 1000000 -- microseconds
local UNREADABLE = string.char(2)
local max, min, ceil = math.max, math.min, math.ceil

local call = { cmsgpack.unpack(ARGV[1]) }
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Returns the terms that a value begins with, and their size; nothing if they are none of ours. As a list, they have C of the
-- limit j at 3 * j, and then R and P.
local function terms_of(value)
  local function is_positive(n)
    return type(n) == 'number' and n >= 1 and n <= MAX_NUMBER and n % 1 == 0
  end
  local function unpack_first(count) -- returns where the next one begins, too
    return select(2, pcall(cmsgpack.unpack_limit, value, count, 0))
  end
  local _, version, limits = unpack_first(2)
  if version ~= VERSION or not is_positive(limits) or limits > #value then
    return nil
  end
  local terms = { unpack_first(2 + 3 * limits) }
  local size = table.remove(terms, 1)
  if size < 0 then -- where nothing follows
    return nil
  end
  for i = 3, 2 + 3 * limits do
    if not is_positive(terms[i]) then
      return nil
    end
  end
  return terms, size
end

-- Returns the debts under the limits that are asked for of a bucket that was under others. One that was there before goes on
-- from itself, and the others from those that are gone, in their order; where these are not as many, from whichever of all left
-- the fewest tokens. Returns as well whether they are not just the same in another order.
local function carry(terms, old_terms, old_debts)
  -- Returns a * b / divisor, rounded up; a is less than the divisor. What is too large a product is divided bit by bit.
  local function scaled(a, b, divisor)
    if a * b <= MAX_NUMBER then
      return ceil(a * b / divisor)
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

  -- Returns the debt under the limit j of a bucket that was under the old one i: it keeps its tokens.
  local function carried(j, i)
    local interval, old_interval = terms[3 * j + 2], old_terms[3 * i + 2]
    local part = math.fmod(old_debts[i], old_interval) -- of a token; the rest of the debt is whole ones
    local tokens = (old_debts[i] - part) / old_interval + (terms[3 * j] - old_terms[3 * i])
    return max(0, min(MAX_NUMBER, tokens * interval + scaled(part, interval, old_interval)))
  end

  local function is_same(j, i)
    return terms[3 * j] == old_terms[3 * i]
      and terms[3 * j + 1] == old_terms[3 * i + 1]
      and terms[3 * j + 2] == old_terms[3 * i + 2]
  end

  local debts, gone, changed = {}, {}, {}
  for i in ipairs(old_debts) do
    gone[i] = i
  end
  for j = 1, terms[2] do
    local same
    for at, i in ipairs(gone) do
      same = same or (is_same(j, i) and at)
    end
    if same then
      debts[j] = old_debts[table.remove(gone, same)]
    else
      debts[j] = 0
      changed[#changed + 1] = j
    end
  end
  for at, j in ipairs(changed) do
    if #changed == #gone then
      debts[j] = carried(j, gone[at])
    else
      for i in ipairs(old_debts) do
        debts[j] = max(debts[j], carried(j, i))
      end
    end
  end
  return debts, #changed > 0 or #gone > 0
end

local function is_whole(n)
  return n >= 0 and n <= MAX_NUMBER and n % 1 == 0
end

-- Reads a value into a bucket, which is the list of the terms that are asked for, and adds what it owes to the debts. What is
-- seldom so is in fields of the bucket: an anchor that is not now, the two instants, whether it was carried over, or has to be
-- written anyway. Returns whether the value is one of ours.
local function read(bucket, terms, value, debts)
  local old, size = bucket, #terms
  if string.sub(value, 1, size) ~= terms then
    old, size = terms_of(value)
  end
  local rest = old and #value - size - 8 * old[2]
  if rest ~= 8 and rest ~= 24 then
    return false
  end
  local anchor = struct.unpack('<d', value, size + 1)
  if not is_whole(anchor) then
    return false
  end
  local elapsed = max(0, now - anchor)
  local owed = old == bucket and debts or {}
  local first = #owed
  for j = 1, old[2] do
    local debt = struct.unpack('<d', value, size + 1 + 8 * j)
    if not is_whole(debt) then
      return false
    end
    owed[first + j] = max(0, debt - elapsed * old[3 * j + 1])
  end
  if rest == 24 then
    local unknown_until, since = struct.unpack('<dd', value, #value - 15)
    if not (is_whole(unknown_until) and is_whole(since)) then
      return false
    end
    bucket.unknown_until, bucket.since = unknown_until, since
  end
  if anchor - now > MAX_CLOCK_SKEW then
    bucket.changed = true -- to the anchor of now, or nothing were paid until the clock has caught up
  elseif anchor > now then
    bucket.anchor = anchor
  end
  if old ~= bucket then
    local micros, last = 0, #debts
    for j, debt in ipairs(owed) do
      micros = max(micros, debt / old[3 * j + 1])
    end
    owed, bucket.carried = carry(bucket, old, owed)
    for j, debt in ipairs(owed) do
      debts[last + j] = debt
    end
    if bucket.carried then
      bucket.unknown_until = min(MAX_NUMBER, max(bucket.unknown_until or 0, (bucket.anchor or now) + ceil(micros)))
      bucket.since = max(bucket.since or 0, (bucket.anchor or now) - 1) -- and not what this call takes
    end
  end
  return true
end

-- Does what the request asks that begins at that place of the call and is about the keys behind the first ones. Returns the
-- reply.
local function answer(at, first)
  local operation, number, keys = call[at + 1], call[at + 2], call[at + 3]
  local buckets, debts = {}, {}
  local allowed = operation == 'consume'
  for i = 1, keys do
    local terms, tokens, last = ARGV[first + i + 1], call[at + 3 + i], #debts
    local bucket = { cmsgpack.unpack(terms) }
    local value = redis.pcall('GET', KEYS[first + i])
    local is_known = value
    if value then
      if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
        error(value.err, 0)
      end
      is_known = type(value) == 'string' and read(bucket, terms, value, debts)
      if not is_known and operation ~= 'reset' then
        return UNREADABLE
      end
    end
    for j = 1, bucket[2] do
      local capacity, rate, interval = bucket[3 * j], bucket[3 * j + 1], bucket[3 * j + 2]
      local before = is_known and debts[last + j] or 0
      local debt, burst = before + tokens * interval, capacity * interval
      debts[last + j] = before
      allowed = allowed
        and tokens <= capacity
        and (debt <= burst or (debt <= MAX_NUMBER and debt - burst <= number * rate))
    end
    buckets[i] = bucket
  end

  local reply = struct.pack('>Bd' .. string.rep('d', #debts), allowed and 1 or 0, now, unpack(debts))

  -- Writes what changed, for as long as it says anything.
  local last = 0
  for i = 1, operation == 'peek' and 0 or keys do
    local bucket, tokens = buckets[i], call[at + 3 + i]
    local anchor, unknown_until, since = bucket.anchor or now, bucket.unknown_until or 0, bucket.since or 0
    local changed = bucket.changed or bucket.carried
    local value = ARGV[first + i + 1] .. struct.pack('<d', anchor)
    local micros_before, micros = 0, 0 -- until it is full
    for j = 1, bucket[2] do
      local rate, ticks = bucket[3 * j + 1], tokens * bucket[3 * j + 2]
      local before = debts[last + j]
      local debt = before
      if allowed or operation == 'charge' then
        debt = before + ticks
      elseif operation == 'refund' then
        debt = before - ticks
      elseif operation == 'undo' and number > since then -- as far as it lies ahead yet, or cannot have flowed in since
        local ahead = unknown_until > now and ticks or call[at + 3 + keys + last + j]
        debt = before - max(0, min(ticks, ahead - max(0, now - number) * rate))
      elseif operation == 'reset' then
        debt = 0
      end
      debt = max(0, min(MAX_NUMBER, debt))
      changed = changed or debt ~= before
      value = value .. struct.pack('<d', debt)
      micros_before, micros = max(micros_before, before / rate), max(micros, debt / rate)
    end
    last = last + bucket[2]
    if operation == 'reset' then
      changed, since = true, max(since, anchor)
    end
    if changed and not (operation == 'undo' and bucket.carried) then -- of which it is not known what to give back
      if operation == 'refund' or operation == 'undo' or operation == 'reset' then
        unknown_until = min(MAX_NUMBER, max(unknown_until, anchor + ceil(micros_before)))
      end
      if unknown_until > now then
        value = value .. struct.pack('<dd', unknown_until, since)
      end
      local expires_at = ceil(max(anchor + ceil(micros), unknown_until) / 1000) + 1000 -- milliseconds; of fewer digits to format
      local digits = string.format('%d%03d', expires_at / 1000, expires_at % 1000)
      redis.call('SET', KEYS[first + i], value, 'PXAT', digits)
    end
  end
  return reply
end

local replies, at, first = {}, 1, 0
while call[at] do
  replies[#replies + 1] = answer(at, first)
  first = first + call[at + 3]
  at = at + call[at]
end
return table.concat(replies)
