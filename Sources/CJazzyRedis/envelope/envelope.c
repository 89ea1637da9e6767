#include "envelope/envelope.h"

#include <string.h>

#include "envelope/utf8.h"
#include "tables/random.h"

enum {
    MAGIC_0 = 0xFF,
    MAGIC_1 = 'J',
    VERSION = 1,
    KIND_MASK = 0x0F,
    KNOWN_BITS = KIND_MASK | JZ_REDIS_ANEW | JZ_REDIS_PUBLISHED_BY,
    ORIGIN = 4,
    SEQUENCE = 12,
    HEADER = 20,
    NUMBER = 8,
    POSITION = 2 * NUMBER
};

static void write_number(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < NUMBER; i++)
        to[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t read_number(const uint8_t *from)
{
    /* Compilers turn this into one load. */
    return (uint64_t)from[0] << 56 | (uint64_t)from[1] << 48 | (uint64_t)from[2] << 40 | (uint64_t)from[3] << 32 |
           (uint64_t)from[4] << 24 | (uint64_t)from[5] << 16 | (uint64_t)from[6] << 8 | (uint64_t)from[7];
}

static bool is_kept(jz_redis_kind kind)
{
    return kind == JZ_REDIS_KEPT_TEXT || kind == JZ_REDIS_KEPT_BINARY;
}

static bool is_message(jz_redis_kind kind)
{
    return kind == JZ_REDIS_TEXT || kind == JZ_REDIS_BINARY || is_kept(kind);
}

size_t jz_redis_envelope_write(const jz_redis_envelope *envelope, uint8_t *bytes)
{
    bool is_published_by = is_message(envelope->kind) && envelope->publisher != 0;
    bytes[0] = MAGIC_0;
    bytes[1] = MAGIC_1;
    bytes[2] = VERSION;
    bytes[3] = (uint8_t)((unsigned)envelope->kind | (envelope->is_anew ? JZ_REDIS_ANEW : 0U) |
                         (is_published_by ? JZ_REDIS_PUBLISHED_BY : 0U));
    write_number(bytes + ORIGIN, envelope->origin);
    write_number(bytes + SEQUENCE, envelope->sequence);
    if (!is_published_by && envelope->kind != JZ_REDIS_ANNOUNCEMENT)
        return HEADER;
    write_number(bytes + HEADER, is_published_by ? envelope->publisher : envelope->lost_from);
    return HEADER + NUMBER;
}

/* What only some kinds have, and what none may lack. */
static bool is_sound(const jz_redis_envelope *envelope, bool is_published_by, size_t rest)
{
    if (envelope->origin == 0)
        return false;
    if (is_message(envelope->kind))
        return envelope->sequence > 0 && (!is_published_by || envelope->publisher != 0) &&
               (!is_kept(envelope->kind) || (envelope->epoch != 0 && envelope->offset > 0));
    if (is_published_by || envelope->is_anew)
        return false;
    if (envelope->kind == JZ_REDIS_ANNOUNCEMENT)
        return envelope->sequence > 0 && rest == NUMBER;
    return rest == 0;
}

static bool read_header(const uint8_t *bytes, size_t length, jz_redis_envelope *envelope, size_t *header_length)
{
    if (length < HEADER || bytes[2] != VERSION || (bytes[3] & ~KNOWN_BITS) != 0)
        return false;
    unsigned kind = bytes[3] & KIND_MASK;
    bool is_published_by = (bytes[3] & JZ_REDIS_PUBLISHED_BY) != 0;
    bool has_number = is_published_by || kind == JZ_REDIS_ANNOUNCEMENT;
    size_t size = HEADER + (has_number ? NUMBER : 0);
    size_t position = is_kept((jz_redis_kind)kind) ? POSITION : 0;
    if (kind < JZ_REDIS_TEXT || kind > JZ_REDIS_MARKER || length < size + position)
        return false;
    uint64_t number = has_number ? read_number(bytes + HEADER) : 0;
    *envelope = (jz_redis_envelope){
        .kind = (jz_redis_kind)kind,
        .is_anew = (bytes[3] & JZ_REDIS_ANEW) != 0,
        .origin = read_number(bytes + ORIGIN),
        .sequence = read_number(bytes + SEQUENCE),
        .lost_from = is_published_by ? 0 : number,
        .publisher = is_published_by ? number : 0,
        .epoch = position > 0 ? read_number(bytes + size) : 0,
        .offset = position > 0 ? read_number(bytes + size + NUMBER) : 0,
    };
    *header_length = is_published_by || position > 0 ? size + position : HEADER;
    return is_sound(envelope, is_published_by, length - HEADER);
}

jz_redis_reading jz_redis_envelope_read(const uint8_t *bytes, size_t length, jz_redis_envelope *envelope,
                                        size_t *header_length)
{
    *header_length = 0;
    if (length < 2 || bytes[0] != MAGIC_0 || bytes[1] != MAGIC_1)
        return jz_redis_is_utf8(bytes, length) ? JZ_REDIS_FOREIGN : JZ_REDIS_UNREADABLE;
    size_t header = 0;
    if (!read_header(bytes, length, envelope, &header))
        return JZ_REDIS_UNREADABLE;
    bool is_text = envelope->kind == JZ_REDIS_TEXT || envelope->kind == JZ_REDIS_KEPT_TEXT;
    if (is_text && !jz_redis_is_utf8(bytes + header, length - header))
        return JZ_REDIS_UNREADABLE;
    *header_length = header;
    return JZ_REDIS_READ;
}

uint64_t jz_redis_new_origin(void)
{
    uint64_t origin;
    do
        origin = jz_redis_random();
    while (origin == 0);
    return origin;
}
