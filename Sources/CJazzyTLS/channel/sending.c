#include <string.h>

#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"

enum { COPY_UP_TO = 2 * 1024 };

/* What is left of the pieces. */
typedef struct rest {
    const jz_piece *pieces;
    size_t count;
    size_t offset; /* within the first piece */
    size_t length;
} rest;

static void advance(rest *rest, size_t length)
{
    rest->length -= length;
    rest->offset += length;
    while (rest->count > 0 && rest->offset >= rest->pieces->length) {
        rest->offset -= rest->pieces->length;
        rest->pieces++;
        rest->count--;
    }
}

/* Encrypts the next record. Small pieces are joined, one that fills a record is not copied first. 0: it failed. */
static size_t seal_record(jz_tls_channel *channel, rest *rest)
{
    const uint8_t *bytes = rest->pieces->bytes + rest->offset;
    size_t length = rest->pieces->length - rest->offset;
    if (length > JZ_TLS_RECORD)
        length = JZ_TLS_RECORD;
    if (length < JZ_TLS_RECORD && rest->count > 1) {
        bytes = channel->loop->joined;
        length = jz_pieces_join(rest->pieces, rest->count, rest->offset, channel->loop->joined, JZ_TLS_RECORD);
    }
    /* The peer may have negotiated shorter records (RFC 6066, 4): then this is one of them. */
    size_t sealed;
    if (SSL_write_ex(channel->ssl, bytes, length, &sealed) != 1) {
        jz_tls_note_failure(channel);
        channel->is_broken = true;
        return 0;
    }
    advance(rest, sealed);
    return sealed;
}

/* After the records the kernel did not take everything: notes what of them is accepted, and what follows. */
static void follow_records(jz_tls_channel *channel, const jz_tls_sealed *records, size_t count, size_t taken,
                           size_t *sent)
{
    jz_tls_backlog *backlog = channel->backlog;
    for (size_t i = 0; i < count; i++) {
        if (records[i].end <= taken) {
            *sent += records[i].length;
            continue;
        }
        backlog->records[backlog->record_count++] = (jz_tls_sealed){records[i].end - taken, records[i].length};
        channel->encrypted += records[i].length;
    }
}

static void tell_end(jz_tls_channel *channel)
{
    if (channel->has_told_end)
        return;
    channel->has_told_end = true;
    if (SSL_shutdown(channel->ssl) < 0) {
        jz_tls_note_failure(channel);
        channel->is_broken = true;
    }
}

/* Encrypts and sends several records, and behind the last one the end, by one system call. */
static void send_records(jz_tls_channel *channel, rest *rest, bool is_last, size_t *sent)
{
    jz_tls_loop *loop = channel->loop;
    jz_tls_sealed records[JZ_TLS_MOST_RECORDS];
    size_t count = 0;
    loop->gathers = true;
    while (rest->length > 0 && count < JZ_TLS_MOST_RECORDS && !channel->is_broken) {
        size_t length = seal_record(channel, rest);
        records[count++] = (jz_tls_sealed){loop->gathered_length, (uint32_t)length};
    }
    if (rest->length == 0 && is_last && !channel->is_broken)
        tell_end(channel);
    size_t gathered = loop->gathered_length;
    jz_tls_send_gathered(loop);
    if (channel->is_broken)
        return;
    size_t kept = channel->backlog != NULL ? channel->backlog->length : 0;
    follow_records(channel, records, count, gathered - kept, sent);
}

/* Encrypts and sends one record. A large one is sent from where it was encrypted, a small one as jz_tls_fetch reads. */
static void send_record(jz_tls_channel *channel, rest *rest, size_t *sent)
{
    channel->loop->gathers = rest->length <= COPY_UP_TO;
    size_t length = seal_record(channel, rest);
    jz_tls_send_gathered(channel->loop);
    if (channel->is_broken)
        return;
    const jz_tls_sealed record = {channel->backlog != NULL ? channel->backlog->length : 0, (uint32_t)length};
    follow_records(channel, &record, 1, 0, sent);
}

/* What became of the bytes that were encrypted before, and come again. */
static void report_accepted(jz_tls_channel *channel, size_t *sent)
{
    *sent = channel->accepted;
    channel->encrypted -= channel->accepted;
    channel->accepted = 0;
}

/* Whether it is the usual case: a message, with nothing before it that waits. */
static bool is_simple(const jz_tls_channel *channel, const jz_piece *pieces, size_t count, bool is_last)
{
    return count == 1 && pieces->length <= COPY_UP_TO && !is_last && channel->backlog == NULL &&
           channel->encrypted == 0;
}

/* The same as send_record for that case. Returns whether all was sent. */
static bool send_simple(jz_tls_channel *channel, const jz_piece *piece, size_t *sent)
{
    size_t sealed = 0;
    channel->loop->gathers = true;
    if (SSL_write_ex(channel->ssl, piece->bytes, piece->length, &sealed) != 1) {
        jz_tls_note_failure(channel);
        channel->is_broken = true;
        return false;
    }
    jz_tls_send_gathered(channel->loop);
    if (channel->backlog == NULL) {
        *sent = sealed;
        return sealed == piece->length && !channel->is_broken;
    }
    const jz_tls_sealed record = {channel->backlog->length, (uint32_t)sealed};
    follow_records(channel, &record, 1, 0, sent);
    return false;
}

jz_io jz_tls_send(void *opaque, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    jz_tls_channel *channel = opaque;
    jz_tls_enter(channel);
    if (is_simple(channel, pieces, count, is_last)) {
        if (send_simple(channel, pieces, sent))
            return JZ_IO_OK;
    } else {
        jz_tls_backlog_flush(channel);
        report_accepted(channel, sent);
    }
    rest rest = {.pieces = pieces, .count = count};
    for (size_t i = 0; i < count; i++)
        rest.length += pieces[i].length;
    advance(&rest, *sent);
    while (channel->backlog == NULL && !channel->is_broken &&
           (rest.length > 0 || (is_last && !channel->has_told_end))) {
        if (rest.length <= JZ_TLS_RECORD && !is_last)
            send_record(channel, &rest, sent);
        else
            send_records(channel, &rest, is_last, sent);
    }
    if (channel->is_broken)
        return JZ_IO_BROKEN;
    return channel->backlog == NULL ? JZ_IO_OK : JZ_IO_WOULD_BLOCK;
}
