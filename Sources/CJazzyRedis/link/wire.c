#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "link/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "link/bell.h"
#include "link/sending.h"

enum {
    SLICE = 4096,    /* the reader moves what it has not read yet whenever it has read 1 KiB: so it is fed little */
    MOST_LINES = 64, /* of a reply whose end is not known, one by one; then at least a 64th of what there is of it */
    MOST_ROUNDS = 4,
    MOST_ELEMENTS = 1024
};

void jz_redis_wire_init(jz_redis_wire *wire)
{
    *wire = (jz_redis_wire){.descriptor = -1};
}

bool jz_redis_wire_fail(jz_redis_wire *wire, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wire->failure, sizeof wire->failure, format, arguments);
    va_end(arguments);
    return false;
}

static bool fail_by(jz_redis_wire *wire, int number)
{
    return jz_redis_wire_fail(wire, "%s", strerror(number));
}

static bool begin_to_connect(jz_redis_wire *wire, int family, const struct sockaddr *address, socklen_t length)
{
    const int on = 1;
    wire->descriptor = socket(family, SOCK_STREAM, 0);
    if (wire->descriptor < 0)
        return fail_by(wire, errno);
    jz_redis_prepare_descriptor(wire->descriptor);
    jz_redis_raise_no_signal(wire->descriptor);
    if (family != AF_UNIX)
        setsockopt(wire->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(wire->descriptor, address, length) == 0 || errno == EINPROGRESS || errno == EINTR)
        return true;
    /* EAGAIN: the backlog of a unix socket is full. */
    int reason = errno;
    jz_redis_wire_close(wire);
    return fail_by(wire, reason);
}

bool jz_redis_wire_connect(jz_redis_wire *wire, const struct addrinfo *address)
{
    return begin_to_connect(wire, address->ai_family, address->ai_addr, address->ai_addrlen);
}

bool jz_redis_wire_connect_path(jz_redis_wire *wire, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        return jz_redis_wire_fail(wire, "the path of a unix socket has at most %zu bytes", sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, length);
    return begin_to_connect(wire, AF_UNIX, (const struct sockaddr *)&address, sizeof address);
}

/* hiredis would make, and later look through, as many elements as are claimed: they are billions in a lie. */
#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count)
#else
static void *create_array(const redisReadTask *task, int count)
#endif
{
    const jz_redis_wire *wire = task->privdata;
    return count <= MOST_ELEMENTS ? wire->made_by->createArray(task, count) : NULL;
}

static void limit_arrays(jz_redis_wire *wire)
{
    wire->made_by = wire->reader->fn;
    wire->making = *wire->made_by;
    wire->making.createArray = create_array;
    wire->reader->fn = &wire->making;
    wire->reader->privdata = wire;
}

bool jz_redis_wire_connected(jz_redis_wire *wire)
{
    int reason = 0;
    socklen_t size = sizeof reason;
    if (getsockopt(wire->descriptor, SOL_SOCKET, SO_ERROR, &reason, &size) != 0)
        reason = errno;
    if (reason != 0)
        return fail_by(wire, reason);
    if (wire->reader != NULL)
        redisReaderFree(wire->reader);
    wire->reader = redisReaderCreate();
    wire->longest = JZ_REDIS_LONGEST_ANSWER;
    wire->unended = wire->to_come = wire->lines = 0;
    if (wire->reader == NULL)
        return jz_redis_wire_fail(wire, "out of memory");
    limit_arrays(wire);
    return true;
}

static bool is_for_later(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

static bool send_plainly(jz_redis_wire *wire, struct iovec *areas, size_t count, size_t *sent)
{
    struct msghdr message = {.msg_iov = areas, .msg_iovlen = (jz_redis_area_count)count};
    ssize_t taken = sendmsg(wire->descriptor, &message, JZ_REDIS_SEND_FLAGS);
    if (taken < 0 && !is_for_later(errno))
        return fail_by(wire, errno);
    *sent = taken > 0 ? (size_t)taken : 0;
    return true;
}

bool jz_redis_wire_send(jz_redis_wire *wire, struct iovec *areas, size_t count, size_t *sent)
{
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++)
        wanted += areas[i].iov_len;
    *sent = 0;
    if (wanted == 0)
        return true;
    bool is_fine = wire->secured.is_used ? jz_redis_secured_send(wire, areas, count, sent)
                                         : send_plainly(wire, areas, count, sent);
    wire->is_blocked = is_fine && *sent < wanted;
    return is_fine;
}

bool jz_redis_wire_flush(jz_redis_wire *wire)
{
    jz_redis_buffer *out = &wire->out;
    size_t sent = 0;
    if (wire->secured.is_used && !jz_redis_secured_flush(wire))
        return false;
    struct iovec area = {.iov_base = out->bytes + out->start, .iov_len = jz_redis_buffer_length(out)};
    if (area.iov_len == 0)
        return true;
    bool is_fine = jz_redis_wire_send(wire, &area, 1, &sent);
    out->start += sent;
    return is_fine;
}

bool jz_redis_wire_waits(const jz_redis_wire *wire)
{
    /* Within TLS what waits for the other side to say something does not wait until the socket is writable. */
    if (wire->secured.is_used && wire->secured.staged_length > 0)
        return wire->secured.wants_to_write;
    return wire->is_blocked || jz_redis_buffer_length(&wire->out) > 0;
}

static bool has_read_all(const redisReader *reader)
{
    return reader->pos == reader->len;
}

/* It is not within a reply: it was not asked for one of which there is nothing. */
static bool is_between_replies(const redisReader *reader)
{
    return has_read_all(reader) && reader->ridx == -1;
}

/* False: it is given up. */
static bool read_replies(jz_redis_wire *wire, jz_redis_on_reply on_reply, void *context)
{
    while (!has_read_all(wire->reader)) {
        void *reply = NULL;
        if (redisReaderGetReply(wire->reader, &reply) != REDIS_OK)
            return jz_redis_wire_fail(wire, "what it answers is not understood: %s", wire->reader->errstr);
        if (reply == NULL)
            return true;
        wire->unended = wire->lines = 0;
        if (!on_reply(context, reply))
            return false;
    }
    return true;
}

static bool feed_reader(jz_redis_wire *wire, const char *bytes, size_t length, jz_redis_on_reply on_reply,
                        void *context)
{
    if (redisReaderFeed(wire->reader, bytes, length) != REDIS_OK)
        return jz_redis_wire_fail(wire, "out of memory");
    wire->unended += length;
    if (wire->to_come > 0)
        wire->to_come -= length;
    if (!read_replies(wire, on_reply, context))
        return false;
    return wire->unended <= wire->longest ||
           jz_redis_wire_fail(wire, "what it answers does not end within %zu bytes", wire->longest);
}

/*
 * The reader gets no more than one reply, so that those behind need no reader again: up to its end, if that is known;
 * else to the end of a line, with which every reply ends.
 */
static size_t slice_of(jz_redis_wire *wire, const char *bytes, size_t length)
{
    size_t known = wire->to_come > 0 && wire->to_come < SLICE ? wire->to_come : SLICE;
    size_t most = length < known ? length : known;
    size_t least = wire->lines < MOST_LINES ? 0 : wire->unended / MOST_LINES;
    if (wire->to_come > 0 || wire->take == NULL || least >= most)
        return most;
    const char *end = memchr(bytes + least, '\n', most - least);
    wire->lines++;
    return end != NULL ? (size_t)(end - bytes) + 1 : most;
}

static bool feed(jz_redis_wire *wire, const char *bytes, size_t length, jz_redis_on_reply on_reply, void *context)
{
    for (size_t start = 0; start < length;) {
        size_t taken = 0;
        bool is_between = is_between_replies(wire->reader);
        if (is_between)
            wire->to_come = 0;
        if (is_between && wire->take != NULL &&
            !wire->take(context, bytes + start, length - start, &taken, &wire->to_come))
            return false;
        start += taken;
        size_t slice = slice_of(wire, bytes + start, length - start);
        if (slice > 0 && !feed_reader(wire, bytes + start, slice, on_reply, context))
            return false;
        start += slice;
    }
    return true;
}

static bool receive_some(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    if (wire->secured.is_used)
        return jz_redis_secured_receive(wire, bytes, size, received);
    ssize_t count = recv(wire->descriptor, bytes, size, 0);
    if (count < 0 && !is_for_later(errno))
        return fail_by(wire, errno);
    *received = count > 0 ? (size_t)count : 0;
    return count != 0 || jz_redis_wire_fail(wire, "the connection was closed");
}

bool jz_redis_wire_receive(jz_redis_wire *wire, char *scratch, size_t size, jz_redis_on_reply on_reply, void *context)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        size_t received = 0;
        if (!receive_some(wire, scratch, size, &received))
            return false;
        if (received > 0 && !feed(wire, scratch, received, on_reply, context))
            return false;
        if (wire->secured.is_used ? received == 0 : received < size)
            return true;
    }
    return true;
}

void jz_redis_wire_close(jz_redis_wire *wire)
{
    jz_redis_secured_end(&wire->secured);
    if (wire->reader != NULL)
        redisReaderFree(wire->reader);
    if (wire->descriptor >= 0) {
        (void)shutdown(wire->descriptor, SHUT_RDWR); /* a forked child may have it, too */
        close(wire->descriptor);
    }
    wire->reader = NULL;
    wire->descriptor = -1;
    wire->is_blocked = false;
    jz_redis_buffer_clear(&wire->out);
}
