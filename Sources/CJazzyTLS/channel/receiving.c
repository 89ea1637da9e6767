#include <assert.h>

#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"

enum {
    MOST_RECEIVED = 256 * 1024, /* bytes of ciphertext per call, so that others are served, too */
    LARGE_RECORD = 2 * 1024,
    MOST_OF_A_RECORD = 17 * 1024, /* bytes, with all that belongs to it */
    MOST_ANSWERS = 2 * 1024, /* bytes of answers that a peer may leave untaken before it is not read from any more */
    VOLUME_PER_ALLOWANCE = 64 * 1024
};

/* There is no whole record. */
static jz_io reason_for_waiting(jz_tls_channel *channel)
{
    if (channel->is_broken)
        return JZ_IO_BROKEN;
    /* OpenSSL would write nothing before it has the rest. No client does that, though it may (RFC 8446 §5.1). */
    if (SSL_in_init(channel->ssl)) {
        jz_tls_blame(channel, "a TLS message without data, such as a key update, came in pieces");
        return JZ_IO_BROKEN;
    }
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

/*
 * Of small records OpenSSL reads as many as it likes, of large ones (without reading ahead) exactly one, because it
 * would move what is left to the front of its buffer.
 */
static void note_record(jz_tls_channel *channel, size_t length, bool is_fetched)
{
    bool is_large = length >= LARGE_RECORD && is_fetched;
    if (is_large == channel->has_large_records)
        return;
    channel->has_large_records = is_large;
    SSL_set_read_ahead(channel->ssl, !is_large);
}

/* Decrypts into `bytes` up to what there is. `is_inside`: whether OpenSSL has more that it has not passed on. */
static jz_io read_records(jz_tls_channel *channel, uint8_t *bytes, size_t capacity, bool is_fetched, size_t *total,
                          bool *is_inside)
{
    const jz_tls_loop *loop = channel->loop;
    *is_inside = true;
    while (*total < capacity && (*is_inside || loop->fetched_start < loop->fetched_end || !loop->is_drained)) {
        size_t length;
        channel->loop->reads = 0;
        if (SSL_read_ex(channel->ssl, bytes + *total, capacity - *total, &length) != 1)
            return reason_for_nothing(channel);
        *total += length;
        note_record(channel, length, is_fetched);
        *is_inside = SSL_has_pending(channel->ssl) == 1;
    }
    return JZ_IO_OK;
}

/* What comes behind data, an end or a failure, is told by the next call. */
static bool follows(jz_tls_channel *channel, jz_io result)
{
    if (result == JZ_IO_ENDED || result == JZ_IO_BROKEN)
        channel->outcome = (uint8_t)result;
    return channel->outcome != JZ_IO_OK;
}

static void begin_reading(jz_tls_loop *loop)
{
    loop->receivable = MOST_RECEIVED;
    loop->is_drained = false;
    loop->is_blocked = false;
    loop->gathers = true;
}

jz_io jz_tls_receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    jz_tls_channel *channel = opaque;
    jz_tls_loop *loop = jz_tls_enter(channel);
    bool is_inside;
    if (channel->outcome != JZ_IO_OK)
        return (jz_io)channel->outcome;
    if (channel->is_stalled)
        return JZ_IO_WOULD_BLOCK;
    begin_reading(loop);
    /* All that is fetched must be used up in this call, behind what OpenSSL has already. */
    bool fetches = capacity >= 2 * MOST_OF_A_RECORD;
    if (fetches && jz_tls_fetch(loop, capacity - MOST_OF_A_RECORD) == 0 && !SSL_has_pending(channel->ssl))
        return reason_for_waiting(channel);
    jz_io result = read_records(channel, bytes, capacity, fetches, received, &is_inside);
    assert((result != JZ_IO_OK && result != JZ_IO_WOULD_BLOCK) || loop->fetched_start == loop->fetched_end);
    loop->fetched_start = loop->fetched_end = 0;
    if (loop->gathered_length > 0)
        send_answers(loop, channel);
    if (*received == 0)
        return result;
    note_volume(channel, *received);
    *has_more = follows(channel, result) || (result == JZ_IO_OK && (is_inside || *received == capacity));
    return JZ_IO_OK;
}
