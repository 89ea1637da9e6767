#include "topics/channel.h"

#include <string.h>

enum { ESCAPE = 0xFF, MARK = 'J', ALL = '*', DIGITS = 16 };

static bool is_escaped(const char *topic, size_t length)
{
    return length > 0 && (uint8_t)topic[0] == ESCAPE;
}

size_t jz_redis_channel_length(const char *topic, size_t length)
{
    return length + (is_escaped(topic, length) ? JZ_REDIS_TOPIC_EXTRA : 0);
}

char *jz_redis_channel_write(char *to, const char *topic, size_t length)
{
    if (is_escaped(topic, length))
        *to++ = (char)ESCAPE;
    if (length > 0)
        memcpy(to, topic, length);
    return to + length;
}

static char *write_mark(char *to)
{
    *to++ = (char)ESCAPE;
    *to++ = MARK;
    return to;
}

char *jz_redis_channel_write_all(char *to)
{
    to = write_mark(to);
    *to++ = ALL;
    return to;
}

char *jz_redis_channel_write_own(char *to, uint64_t origin)
{
    to = write_mark(to);
    for (int i = 0; i < DIGITS; i++)
        *to++ = "0123456789abcdef"[origin >> (60 - 4 * i) & 0xF];
    return to;
}

static bool is_written_by(const char *channel, size_t length, const char *written, const char *end)
{
    return length == (size_t)(end - written) && memcmp(channel, written, length) == 0;
}

jz_redis_channel_kind jz_redis_channel_read(const char *channel, size_t length, uint64_t origin, const char **topic,
                                            size_t *topic_length)
{
    *topic = channel;
    *topic_length = length;
    if (!is_escaped(channel, length))
        return JZ_REDIS_CHANNEL_TOPIC;
    if (length > 1 && (uint8_t)channel[1] == ESCAPE) {
        *topic = channel + 1;
        *topic_length = length - 1;
        return JZ_REDIS_CHANNEL_TOPIC;
    }
    char special[JZ_REDIS_OWN_CHANNEL_MOST];
    if (is_written_by(channel, length, special, jz_redis_channel_write_all(special)))
        return JZ_REDIS_CHANNEL_ALL;
    if (is_written_by(channel, length, special, jz_redis_channel_write_own(special, origin)))
        return JZ_REDIS_CHANNEL_OWN;
    return JZ_REDIS_CHANNEL_OTHER;
}
