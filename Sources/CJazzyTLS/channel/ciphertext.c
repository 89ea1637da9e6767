#include "channel/ciphertext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "channel/backlog.h"
#include "channel/channel.h"

enum { MOST_DISCARDED = 1024 * 1024, MOST_FETCHED = 32 * 1024 /* for a handshake, by one call */ };

/* On macOS, where not every release knows the flag, an option of the socket says that, which the server has set. */
#ifdef __APPLE__
enum { SEND_FLAGS = 0 };
#else
enum { SEND_FLAGS = MSG_NOSIGNAL };
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

static size_t take_early(jz_tls_channel *channel, void *bytes, size_t capacity)
{
    jz_tls_early *early = channel->early;
    size_t length = early->length - early->taken < capacity ? early->length - early->taken : capacity;
    memcpy(bytes, early->bytes + early->taken, length);
    early->taken += length;
    if (early->taken == early->length) {
        free(early);
        channel->early = NULL;
    }
    return length;
}

void jz_tls_fetch(jz_tls_loop *loop)
{
    loop->fetched_start = 0;
    loop->fetched_end = jz_tls_read_socket(loop, loop->fetched, MOST_FETCHED);
}

void jz_tls_discard(jz_tls_loop *loop)
{
    loop->receivable = MOST_DISCARDED;
    loop->is_drained = false;
    while (jz_tls_read_socket(loop, loop->fetched, sizeof loop->fetched) > 0)
        continue;
}

static size_t take_fetched(jz_tls_loop *loop, void *bytes, size_t capacity)
{
    size_t length = loop->fetched_end - loop->fetched_start;
    if (length > capacity)
        length = capacity;
    memcpy(bytes, loop->fetched + loop->fetched_start, length);
    loop->fetched_start += length;
    return length;
}

size_t jz_tls_read_socket(jz_tls_loop *loop, void *bytes, size_t capacity)
{
    jz_tls_channel *channel = loop->current;
    if (channel->early != NULL)
        return take_early(channel, bytes, capacity);
    if (channel->has_ended || channel->is_broken)
        loop->is_drained = true;
    if (loop->is_drained || loop->receivable == 0)
        return 0;
    ssize_t count;
    do {
        count = recv(channel->descriptor, bytes, capacity, 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        size_t length = (size_t)count;
        loop->receivable -= length < loop->receivable ? length : loop->receivable;
        loop->is_drained = length < capacity;
        channel->may_have_input = !loop->is_drained;
        return length;
    }
    loop->is_drained = true;
    channel->may_have_input = false;
    if (count == 0)
        channel->has_ended = true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        channel->is_broken = true;
    return 0;
}

static int read_ciphertext(BIO *bio, char *bytes, size_t capacity, size_t *count)
{
    jz_tls_loop *loop = BIO_get_data(bio);
    if (loop->fetched_start == loop->fetched_end)
        jz_tls_fetch(loop);
    *count = take_fetched(loop, bytes, capacity);
    loop->is_blocked = *count == 0;
    return *count > 0 ? 1 : -1;
}

static size_t write_socket(jz_tls_channel *channel, const uint8_t *bytes, size_t length, int flags)
{
    ssize_t count;
    do {
        count = send(channel->descriptor, bytes, length, SEND_FLAGS | flags);
    } while (count < 0 && errno == EINTR);
    if (count >= 0)
        return (size_t)count;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        channel->is_broken = true;
    return 0;
}

size_t jz_tls_write_socket(jz_tls_channel *channel, const uint8_t *bytes, size_t length)
{
    return write_socket(channel, bytes, length, 0);
}

static void write_or_keep(jz_tls_channel *channel, const uint8_t *bytes, size_t length, int flags)
{
    size_t sent = 0;
    if (channel->backlog == NULL && !channel->is_broken)
        sent = write_socket(channel, bytes, length, flags);
    if (sent < length && !channel->is_broken)
        jz_tls_backlog_add(channel, bytes + sent, length - sent);
}

static void send_gathered(jz_tls_loop *loop, int flags)
{
    size_t length = loop->gathered_length;
    loop->gathered_length = 0;
    if (length > 0)
        write_or_keep(loop->current, loop->gathered, length, flags);
}

void jz_tls_send_gathered(jz_tls_loop *loop)
{
    send_gathered(loop, 0);
}

void jz_tls_send_gathered_before_end(jz_tls_loop *loop)
{
    send_gathered(loop, MSG_MORE);
}

static void take_header(jz_tls_outline *outline, uint8_t byte)
{
    outline->header[outline->header_length++] = byte;
    if (outline->header_length < JZ_TLS_HEADER)
        return;
    outline->header_length = 0;
    outline->rest = (size_t)outline->header[3] << 8 | outline->header[4];
    if (outline->header[0] == JZ_TLS_DATA)
        outline->encrypted++;
}

static void follow(jz_tls_outline *outline, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        size_t part = outline->rest < length ? outline->rest : length;
        if (part == 0) {
            take_header(outline, *bytes);
            part = 1;
        } else {
            outline->rest -= part;
        }
        bytes += part;
        length -= part;
    }
}

/* Takes everything. What goes wrong is found by whoever has called OpenSSL. */
static int write_ciphertext(BIO *bio, const char *bytes, size_t length, size_t *count)
{
    jz_tls_loop *loop = BIO_get_data(bio);
    *count = length;
    follow(&loop->outline, (const uint8_t *)bytes, length);
    if (length > sizeof loop->gathered - loop->gathered_length)
        jz_tls_send_gathered(loop);
    if (length > sizeof loop->gathered) {
        write_or_keep(loop->current, (const uint8_t *)bytes, length, 0);
    } else {
        memcpy(loop->gathered + loop->gathered_length, bytes, length);
        loop->gathered_length += length;
    }
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *jz_tls_ciphertext_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "the socket of a channel");
    if (method != NULL && BIO_meth_set_read_ex(method, read_ciphertext) == 1 &&
        BIO_meth_set_write_ex(method, write_ciphertext) == 1 && BIO_meth_set_ctrl(method, control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *jz_tls_ciphertext_bio(BIO_METHOD *method, jz_tls_loop *loop)
{
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, loop);
    BIO_set_init(bio, 1);
    /* Reading that fails may always be tried again: ends and errors are not OpenSSL's business. */
    BIO_set_retry_read(bio);
    return bio;
}
