#include <string.h>

#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"
#include "channel/messages.h"
#include "channel/tickets.h"

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

bool jz_tls_gather_record(jz_tls_channel *channel, jz_tls_type type, const jz_piece *pieces, size_t offset,
                          size_t length)
{
    jz_tls_loop *loop = channel->loop;
    size_t size = jz_tls_seal(channel->records, type, pieces, offset, length, loop->gathered + loop->gathered_length);
    loop->gathered_length += size;
    if (size > 0)
        return true;
    jz_tls_note_failure(channel);
    channel->is_broken = true;
    return false;
}

/* Encrypts the next record, behind those before. 0: it failed. */
static size_t seal_record(jz_tls_channel *channel, rest *rest)
{
    const jz_tls_records *records = channel->records;
    if (jz_tls_keys_are_worn(records) && !jz_tls_renew_key(channel))
        return 0;
    size_t length = rest->length < records->longest ? rest->length : records->longest;
    if (!jz_tls_gather_record(channel, JZ_TLS_DATA, rest->pieces, rest->offset, length))
        return 0;
    advance(rest, length);
    return length;
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
    jz_tls_tell(channel, JZ_TLS_CLOSE_NOTIFY);
    channel->has_told_end = true;
}

/* Encrypts and sends several records, and behind the last one the end, by one system call. */
static void send_records(jz_tls_channel *channel, rest *rest, bool is_last, size_t *sent)
{
    jz_tls_loop *loop = channel->loop;
    jz_tls_sealed records[JZ_TLS_MOST_RECORDS];
    size_t count = 0;
    while (rest->length > 0 && count < JZ_TLS_MOST_RECORDS && !channel->is_broken) {
        size_t length = seal_record(channel, rest);
        records[count++] = (jz_tls_sealed){loop->gathered_length, (uint32_t)length};
    }
    if (rest->length == 0 && is_last && !channel->is_broken)
        tell_end(channel);
    size_t gathered = loop->gathered_length;
    /* The server shuts the socket down next: its FIN goes out in the same packet. */
    if (channel->has_told_end)
        jz_tls_send_gathered_before_end(loop);
    else
        jz_tls_send_gathered(loop);
    if (channel->is_broken)
        return;
    size_t kept = channel->backlog != NULL ? channel->backlog->length : 0;
    follow_records(channel, records, count, gathered - kept, sent);
}

/* What became of the bytes that were encrypted before, and come again. */
static void report_accepted(jz_tls_channel *channel, size_t *sent)
{
    *sent = channel->accepted;
    channel->encrypted -= channel->accepted;
    channel->accepted = 0;
}

/*
 * The usual case: a message in one piece and one record, with nothing before it that waits. Returns whether all was
 * sent; if not, `sent` says how much is accepted, as always.
 */
static bool send_simple(jz_tls_channel *channel, const jz_piece *piece, size_t *sent)
{
    if (!jz_tls_gather_record(channel, JZ_TLS_DATA, piece, 0, piece->length))
        return false;
    jz_tls_send_gathered(channel->loop);
    if (channel->backlog == NULL && !channel->is_broken) {
        *sent = piece->length;
        return true;
    }
    if (!channel->is_broken) {
        const jz_tls_sealed record = {channel->backlog->length, (uint32_t)piece->length};
        follow_records(channel, &record, 1, 0, sent);
    }
    return false;
}

static bool is_simple(const jz_tls_channel *channel, const jz_piece *pieces, size_t count, bool is_last)
{
    return count == 1 && pieces->length <= channel->records->longest && !is_last && channel->backlog == NULL &&
           channel->encrypted == 0 && !jz_tls_keys_are_worn(channel->records);
}

jz_io jz_tls_send(void *opaque, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    jz_tls_channel *channel = opaque;
    jz_tls_enter(channel);
    /* Nothing may follow a fatal alert, of either side (RFC 8446 §6.2). */
    if (channel->outcome == JZ_IO_BROKEN)
        return JZ_IO_BROKEN;
    if (channel->held != NULL)
        jz_tls_gather_held(channel);
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
    while (channel->backlog == NULL && !channel->is_broken && (rest.length > 0 || (is_last && !channel->has_told_end)))
        send_records(channel, &rest, is_last, sent);
    jz_tls_send_gathered(channel->loop); /* tickets that had no output to go with */
    if (channel->is_broken)
        return JZ_IO_BROKEN;
    return channel->backlog == NULL ? JZ_IO_OK : JZ_IO_WOULD_BLOCK;
}
