#include "history/scripts.h"

/* What both begin with: which Redis this is, the time, and what is known of the topic. A replica may be asked by
   mistake only. Numbers are written by %.0f, because Lua's own way has an exponent from 10^14 on. */
#define COMMON                                                                                                         \
    "local info = redis.call('INFO', 'replication')\n"                                                                 \
    "local lineage = string.match(info, 'master_replid:(%x+)')\n"                                                      \
    "if not lineage or not string.find(info, 'role:master', 1, true) then\n"                                           \
    "  return redis.error_reply('READONLY this Redis is no master')\n"                                                 \
    "end\n"                                                                                                            \
    "local time = redis.call('TIME')\n"                                                                                \
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"                                                        \
    "local position, stream = KEYS[1], KEYS[2]\n"                                                                      \
    "local keep, age, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])\n"                                \
    "local function number(value) return string.format('%.0f', value) end\n"                                           \
    "local function is_known(known)\n"                                                                                 \
    "  return known[2] == lineage and known[1] and #known[1] == 8 and known[1] ~= string.rep('\\0', 8)\n"              \
    "    and tonumber(known[3])\n"                                                                                     \
    "    and tonumber(known[3]) >= 0 and tonumber(known[3]) < 9e15\n"                                                  \
    "end\n"                                                                                                            \
    "local week = 604800000\n"

/* What may not be published is not kept. Origins that were not heard for a day leave when there are many and another
   one comes. Bytes: the stream is cut by Redis itself, so that more is counted than there is; once that is twice too
   much, it is counted anew. */
const char jz_redis_keep_script[] =
    COMMON "local head, payload = ARGV[2], ARGV[3]\n"
           "local origin, sequence = string.sub(head, 5, 12), struct.unpack('>I8', head, 13)\n"
           "local known = redis.call('HMGET', position, 'e', 'l', 'o', 'b', origin)\n"
           "local last = tonumber(string.match(known[5] or '', '^%d+'))\n"
           "local before = tonumber(ARGV[8])\n"
           "if last and sequence <= last then return 0 end\n"
           "if before ~= 0 and before ~= last then\n"
           "  return redis.error_reply('" JZ_REDIS_OUT_OF_TURN " the message before this one has not come')\n"
           "end\n"
           "local epoch, offset, bytes = known[1], 1, tonumber(known[4])\n"
           "if not bytes or not (bytes >= 0) then bytes = 0 end\n"
           "local kind = string.byte(head, 4) % 16 == 7 and 'b' or 't'\n"
           "local function begin()\n"
           "  epoch, offset, bytes = ARGV[4], 1, 0\n"
           "  redis.call('DEL', stream)\n"
           "end\n"
           "local function add(call)\n"
           "  return call('XADD', stream, 'MAXLEN', '~', keep, number(offset) .. '-' .. number(now), kind, payload)\n"
           "end\n"
           "if is_known(known) then offset = tonumber(known[3]) + 1 else begin() end\n"
           "local added = add(redis.pcall)\n"
           "if type(added) == 'table' and added.err then\n"
           "  if not string.find(added.err, 'equal or smaller', 1, true) and not string.find(added.err, 'WRONGTYPE', "
           "1, true) then\n"
           "    return redis.error_reply(added.err)\n"
           "  end\n"
           "  begin()\n"
           "  add(redis.call)\n"
           "end\n"
           "local got = redis.pcall('PUBLISH', ARGV[1], head .. epoch .. struct.pack('>I8', offset) .. payload)\n"
           "if type(got) == 'table' and got.err then\n"
           "  redis.call('XDEL', stream, number(offset) .. '-' .. number(now))\n"
           "  return redis.error_reply(got.err)\n"
           "end\n"
           "bytes = bytes + #payload\n"
           "if bytes > 2 * most then\n"
           "  local count, sum, at = 0, 0, offset\n"
           "  repeat\n"
           "    local part = redis.call('XREVRANGE', stream, number(at), '-', 'COUNT', 64)\n"
           "    for _, entry in ipairs(part) do\n"
           "      at = tonumber(string.match(entry[1], '^%d+')) - 1\n"
           "      if sum + #entry[2][2] > most then part = {} break end\n"
           "      sum, count = sum + #entry[2][2], count + 1\n"
           "    end\n"
           "  until #part < 64 or at < 0\n"
           "  redis.call('XTRIM', stream, 'MAXLEN', count)\n"
           "  bytes = sum\n"
           "end\n"
           "if not last and redis.call('HLEN', position) > 36 then\n"
           "  local all = redis.call('HGETALL', position)\n"
           "  for i = 1, #all, 2 do\n"
           "    local came = #all[i] == 8 and tonumber(string.match(all[i + 1], ' (%d+)$'))\n"
           "    if came and came < now - 86400000 then redis.call('HDEL', position, all[i]) end\n"
           "  end\n"
           "end\n"
           "redis.call('HSET', position, 'e', epoch, 'l', lineage, 'o', number(offset), 'b', number(bytes),\n"
           "  origin, number(sequence) .. ' ' .. number(now))\n"
           "redis.call('PEXPIRE', position, number(age + week))\n"
           "redis.call('PEXPIRE', stream, number(age))\n"
           "return got\n";

const char jz_redis_keep_script_sha1[] = "78495ea19342413954f1ae0f5e3fec06cbc8fee9";

const char jz_redis_fetch_script[] =
    COMMON "local known = redis.call('HMGET', position, 'e', 'l', 'o')\n"
           "local epoch, newest = known[1], tonumber(known[3])\n"
           "if not is_known(known) then\n"
           "  epoch, newest = ARGV[4], 0\n"
           "  redis.call('HSET', position, 'e', epoch, 'l', lineage, 'o', 0, 'b', 0)\n"
           "  redis.call('DEL', stream)\n"
           "  redis.call('PEXPIRE', position, number(age + week))\n"
           "end\n"
           "local parts, bytes, offset = {}, 0, newest\n"
           "local is_over, chunk = offset == 0, 4\n"
           "while not is_over do\n"
           "  local part = redis.call('XREVRANGE', stream, number(offset), '-', 'COUNT', chunk)\n"
           "  is_over, chunk = #part < chunk, math.min(2 * chunk, 128)\n"
           "  for _, entry in ipairs(part) do\n"
           "    local at, came = string.match(entry[1], '^(%d+)-(%d+)$')\n"
           "    local kind, payload = entry[2][1], entry[2][2]\n"
           "    came = tonumber(came)\n"
           "    if tonumber(at) ~= offset or came < now - age or #entry[2] ~= 2 or (kind ~= 't' and kind ~= 'b')\n"
           "      or #parts == keep or bytes + #payload > most then\n"
           "      is_over = true\n"
           "      break\n"
           "    end\n"
           "    parts[#parts + 1] = kind .. struct.pack('>I4I4', math.max(0, now - came), #payload) .. payload\n"
           "    bytes, offset = bytes + #payload, offset - 1\n"
           "  end\n"
           "end\n"
           "redis.call('PUBLISH', ARGV[1], ARGV[2])\n"
           "return epoch .. struct.pack('>I8', newest) .. table.concat(parts)\n";

uint64_t jz_redis_next_epoch(uint64_t *state)
{
    uint64_t mixed;
    do {
        /* splitmix64: each number comes once in 2^64 (G. Steele, D. Lea, C. Flood, 2014). */
        mixed = *state += UINT64_C(0x9E3779B97F4A7C15);
        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
        mixed ^= mixed >> 31;
    } while (mixed == 0);
    return mixed;
}
