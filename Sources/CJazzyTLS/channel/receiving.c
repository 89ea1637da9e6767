#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"

enum {
    MOST_RECEIVED = 256 * 1024, /* bytes of ciphertext per call, so that others are served, too */
    LARGE_RECORD = 2 * 1024,
    MOST_ANSWERS = 2 * 1024, /* bytes of answers that a peer may leave untaken before it is not read from any more */
    VOLUME_PER_ALLOWANCE = 64 * 1024
};

/* There is no whole record. */
static jz_io reason_for_waiting(jz_tls_channel *channel)
{
    if (channel->is_broken)
        return JZ_IO_BROKEN;
    if (!channel->has_ended)
        return JZ_IO_WOULD_BLOCK;
    /* After our own end nothing that matters can be missing. */
    if (!channel->has_told_end)
        jz_tls_blame(channel, "cut without close_notify");
    return JZ_IO_BROKEN;
}

/* Why nothing was received. */
static jz_io reason_for_nothing(jz_tls_channel *channel)
{
    if (channel->is_flooding) {
        jz_tls_blame(channel, "too many TLS messages without data, such as key updates");
        return JZ_IO_BROKEN;
    }
    if (channel->loop->is_blocked)
        return reason_for_waiting(channel);
    /* A fatal alert ends the stream, too, but not properly. */
    if (SSL_is_init_finished(channel->ssl) && (SSL_get_shutdown(channel->ssl) & SSL_RECEIVED_SHUTDOWN) != 0)
        return JZ_IO_ENDED;
    jz_tls_note_failure(channel);
    return JZ_IO_BROKEN;
}

/* The peer's messages may have been answered. */
static void send_answers(jz_tls_loop *loop, jz_tls_channel *channel)
{
    size_t length = loop->gathered_length;
    jz_tls_send_gathered(loop);
    if (channel->backlog != NULL) {
        channel->backlog->answers += length;
        channel->is_stalled = channel->backlog->answers > MOST_ANSWERS;
    }
}

static void note_volume(jz_tls_channel *channel, size_t received)
{
    channel->volume += (uint32_t)received;
    if (channel->volume >= VOLUME_PER_ALLOWANCE) {
        channel->volume = 0;
        channel->messages = 0;
    }
}

jz_io jz_tls_receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    jz_tls_channel *channel = opaque;
    jz_tls_loop *loop = jz_tls_enter(channel);
    SSL *ssl = channel->ssl;
    if (channel->is_stalled)
        return JZ_IO_WOULD_BLOCK;
    loop->receivable = MOST_RECEIVED;
    loop->is_drained = false;
    loop->is_blocked = false;
    loop->gathers = true;
    size_t total = 0;
    jz_io result = JZ_IO_OK;
    bool is_inside = true; /* whether OpenSSL has bytes that it has not passed on */
    while (total < capacity && (is_inside || !loop->is_drained)) {
        size_t length;
        loop->reads = 0;
        if (SSL_read_ex(ssl, bytes + total, capacity - total, &length) != 1) {
            result = reason_for_nothing(channel);
            break;
        }
        total += length;
        channel->has_large_records = length >= LARGE_RECORD;
        is_inside = SSL_has_pending(ssl) == 1;
    }
    if (loop->gathered_length > 0)
        send_answers(loop, channel);
    if (total == 0)
        return result;
    note_volume(channel, total);
    *received = total;
    /* An end, or a failure, is told by the next call. */
    *has_more = result == JZ_IO_OK ? is_inside || total == capacity : result != JZ_IO_WOULD_BLOCK;
    return JZ_IO_OK;
}
