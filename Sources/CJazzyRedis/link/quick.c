#include "link/quick.h"

#include <string.h>

enum { MOST_DIGITS = 9 };

static const char message_start[] = "*3\r\n$7\r\nmessage\r\n";

/* What is left to be read. */
typedef struct rest {
    const char *bytes;
    size_t length;
} rest;

static void skip(rest *rest, size_t length)
{
    rest->bytes += length;
    rest->length -= length;
}

/* A mark, a number as Redis writes it, and the line's end. False: it is something else, or not whole. */
static bool take_number(rest *rest, char mark, size_t *number)
{
    size_t digits = 0;
    size_t value = 0;
    if (rest->length < 2 || rest->bytes[0] != mark)
        return false;
    const char *at = rest->bytes + 1;
    size_t most = rest->length - 1 < MOST_DIGITS ? rest->length - 1 : MOST_DIGITS;
    for (; digits < most && at[digits] >= '0' && at[digits] <= '9'; digits++)
        value = value * 10 + (size_t)(at[digits] - '0');
    if (digits == 0 || (digits > 1 && at[0] == '0') || rest->length < digits + 3 || at[digits] != '\r' ||
        at[digits + 1] != '\n')
        return false;
    *number = value;
    skip(rest, digits + 3);
    return true;
}

/* The length of a string, of which as much as there is stays to be read. */
static bool take_length(rest *rest, size_t *length)
{
    return take_number(rest, '$', length);
}

static bool ends_line(const char *bytes)
{
    return bytes[0] == '\r' && bytes[1] == '\n';
}

static size_t read_message(const char *bytes, size_t length, jz_redis_quick *reply)
{
    rest rest = {bytes + sizeof message_start - 1, length - (sizeof message_start - 1)};
    if (!take_length(&rest, &reply->channel_length) || rest.length < reply->channel_length + 2 ||
        !ends_line(rest.bytes + reply->channel_length))
        return 0;
    reply->channel = rest.bytes;
    skip(&rest, reply->channel_length + 2);
    if (!take_length(&rest, &reply->length))
        return 0;
    reply->payload = rest.bytes;
    reply->is_message = true;
    size_t size = (size_t)(rest.bytes - bytes) + reply->length + 2;
    return size > length || ends_line(rest.bytes + reply->length) ? size : 0;
}

size_t jz_redis_quick_read(const char *bytes, size_t length, jz_redis_quick *reply)
{
    size_t number;
    rest rest = {bytes, length};
    if (length >= sizeof message_start - 1 && memcmp(bytes, message_start, sizeof message_start - 1) == 0)
        return read_message(bytes, length, reply);
    reply->is_message = false;
    return take_number(&rest, ':', &number) ? length - rest.length : 0;
}
