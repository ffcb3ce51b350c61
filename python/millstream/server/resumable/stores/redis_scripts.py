"""What the Redis store runs inside the server, so that each step is one, whoever else writes.

``KEYS`` are the hash of a stream's state and its log, a Redis stream whose entries are blocks under the ids of their
last records: Redis compares those as integers too.
"""

__all__ = ("APPEND", "CREATE", "READ", "STOP")

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# ARGV: meta, replace, epoch, lease, ttl, channel
CREATE = (
    _NOW
    + """
local found = redis.call('HGET', KEYS[1], 'epoch')
if found and ARGV[2] == '0' then return {found, 0} end
local epoch = tonumber(ARGV[3])
if found and tonumber(found) + 2 > epoch then epoch = tonumber(found) + 2 end
redis.call('DEL', KEYS[1], KEYS[2])
epoch = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'epoch', epoch, 'status', 'running', 'meta', ARGV[1], 'first', 0, 'last', 0, 'size', 0,
    'stop', 0, 'end', epoch .. '-0', 'lease', string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4] + ARGV[5])
redis.call('PUBLISH', ARGV[6], '')
return {epoch, 1}
"""
)

# ARGV: epoch, status, block's epoch, first, last, data, lease, ttl, most bytes, channel
APPEND = (
    _NOW
    + """
local state = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'last', 'lease', 'stop', 'size')
if state[1] ~= ARGV[1] then return 'fenced' end
if state[2] ~= 'running' then
    if state[2] == ARGV[2] and ARGV[2] ~= 'lost' then return 'stored' end
    return 'fenced'
end
if ARGV[2] == 'lost' and tonumber(state[4]) > now then return 'fenced' end
local data, last, size = ARGV[6], tonumber(state[3]), tonumber(state[6])
local own = ARGV[3] == ARGV[1]
if #data > 0 and (not own or tonumber(ARGV[5]) > last) then
    if own and tonumber(ARGV[4]) ~= last + 1 then return 'fenced' end
    local id = ARGV[3] .. '-' .. ARGV[5]
    redis.call('XADD', KEYS[2], id, 'first', ARGV[4], 'data', data)
    size = size + #data
    while size > tonumber(ARGV[9]) do
        local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 2)
        if #oldest < 2 then break end
        size = size - #oldest[1][2][4]
        redis.call('XDEL', KEYS[2], oldest[1][1])
        redis.call('HSET', KEYS[1], 'first', string.match(oldest[1][1], '%-(%d+)$'))
    end
    redis.call('HSET', KEYS[1], 'end', id, 'size', size)
    if own then redis.call('HSET', KEYS[1], 'last', ARGV[5]) end
end
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'lease', string.format('%.0f', now + ARGV[7]))
redis.call('PEXPIRE', KEYS[1], ARGV[7] + ARGV[8])
redis.call('PEXPIRE', KEYS[2], ARGV[7] + ARGV[8])
if #data > 0 or ARGV[2] ~= 'running' then redis.call('PUBLISH', ARGV[10], '') end
if state[5] == '1' then return 'stop' end
return 'stored'
"""
)

# ARGV: after, the most blocks
READ = (
    _NOW
    + """
local state = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'meta', 'first', 'end', 'lease')
if not state[1] then return false end
local expired = 0
if state[2] == 'running' and tonumber(state[6]) <= now then expired = 1 end
local entries = {}
if ARGV[2] ~= '0' then entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2]) end
return {state[1], state[2], state[3], state[4], state[5], expired, entries}
"""
)

STOP = """
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'stop', 1)
return 1
"""
