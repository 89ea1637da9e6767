#include "channel/messages.h"

#include <stdio.h>
#include <string.h>

#include "channel/ciphertext.h"
#include "channel/tickets.h"

enum {
    CLIENT_HELLO = 1,
    KEY_UPDATE = 24,         /* RFC 8446 §4.6.3 */
    ASKS_FOR_UPDATE = 1,     /* what its one byte may say, besides 0 */
    MOST_MESSAGES = 128,     /* without much data between them */
    MOST_EMPTY_RECORDS = 32, /* in succession */
    LONGEST_HELLO = 64 * 1024,
    WARNING = 1,
    FATAL = 2
};

static void gather(jz_tls_channel *channel, jz_tls_type type, const uint8_t *bytes, size_t length)
{
    jz_tls_loop *loop = channel->loop;
    /* Nothing may follow close_notify (RFC 8446 §6.1). */
    if (channel->is_broken || channel->has_told_end)
        return;
    jz_tls_gather_held(channel); /* they have the numbers before */
    if (jz_tls_sealed_length(channel->records, length) + JZ_TLS_MOST_OVERHEAD >
        sizeof loop->gathered - loop->gathered_length)
        jz_tls_send_gathered(loop);
    jz_tls_gather_record(channel, type, &(jz_piece){bytes, length}, 0, length);
}

static bool is_warning(jz_tls_alert alert)
{
    return alert == JZ_TLS_CLOSE_NOTIFY || alert == JZ_TLS_NO_RENEGOTIATION || alert == JZ_TLS_USER_CANCELED;
}

void jz_tls_tell(jz_tls_channel *channel, jz_tls_alert alert)
{
    const uint8_t bytes[] = {is_warning(alert) ? WARNING : FATAL, (uint8_t)alert};
    gather(channel, JZ_TLS_ALERT, bytes, sizeof bytes);
}

static jz_io fail(jz_tls_channel *channel, jz_tls_alert alert, const char *why)
{
    jz_tls_blame(channel, why);
    jz_tls_tell(channel, alert);
    return JZ_IO_BROKEN;
}

jz_io jz_tls_refuse(jz_tls_channel *channel, jz_tls_fault fault)
{
    switch (fault) {
    case JZ_TLS_TOO_LONG:
        return fail(channel, JZ_TLS_RECORD_OVERFLOW, "a record is longer than TLS allows");
    case JZ_TLS_WRONG_TYPE:
        return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "a record of a type that may not come here");
    default:
        ERR_clear_error();
        return fail(channel, JZ_TLS_BAD_RECORD_MAC, "a record could not be decrypted");
    }
}

jz_io jz_tls_take_data(jz_tls_channel *channel, size_t length)
{
    if (channel->message_length > 0 || channel->skipped > 0)
        return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "data came within a TLS message");
    if (length > 0)
        channel->empty_records = 0;
    else if (++channel->empty_records > MOST_EMPTY_RECORDS)
        return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "too many empty records");
    return JZ_IO_OK;
}

/* A flood of what is no data. */
static bool is_one_too_many(jz_tls_channel *channel)
{
    return ++channel->messages > MOST_MESSAGES;
}

static jz_io end_flood(jz_tls_channel *channel)
{
    return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "too many TLS messages without data, such as key updates");
}

static jz_io take_alert(jz_tls_channel *channel, const uint8_t *alert, size_t length)
{
    enum { LENGTH = 2 };
    char why[96];
    if (length != LENGTH)
        return fail(channel, JZ_TLS_DECODE_ERROR, "an alert that is none");
    if (alert[1] == JZ_TLS_CLOSE_NOTIFY)
        return JZ_IO_ENDED;
    /* The level does not count in TLS 1.3, where all but this one are fatal (RFC 8446 §6). */
    bool goes_on = channel->records->is_1_3 ? alert[1] == JZ_TLS_USER_CANCELED : alert[0] == WARNING;
    if (goes_on)
        return is_one_too_many(channel) ? end_flood(channel) : JZ_IO_OK;
    snprintf(why, sizeof why, "it ended with an alert: %s", SSL_alert_desc_string_long(alert[1]));
    jz_tls_blame(channel, why);
    return JZ_IO_BROKEN;
}

/* The next key of our own, after the peer is told. False: that failed. */
bool jz_tls_renew_key(jz_tls_channel *channel)
{
    static const uint8_t update[] = {KEY_UPDATE, 0, 0, 1, 0};
    gather(channel, JZ_TLS_MESSAGE, update, sizeof update);
    if (!channel->is_broken && !jz_tls_update_keys(channel->records, &channel->records->writing)) {
        channel->is_broken = true;
        jz_tls_note_failure(channel);
    }
    return !channel->is_broken;
}

/* The peer's next record has its next key. */
static jz_io take_key_update(jz_tls_channel *channel, const uint8_t *update)
{
    jz_tls_records *records = channel->records;
    if (update[JZ_TLS_MESSAGE_HEADER] > ASKS_FOR_UPDATE)
        return fail(channel, JZ_TLS_ILLEGAL_PARAMETER, "a key update that asks for something else");
    if (is_one_too_many(channel))
        return end_flood(channel);
    if (!jz_tls_update_keys(records, &records->reading)) {
        jz_tls_note_failure(channel);
        return fail(channel, JZ_TLS_INTERNAL_ERROR, "there is no memory for its new key");
    }
    if (update[JZ_TLS_MESSAGE_HEADER] == ASKS_FOR_UPDATE && !channel->has_told_end && !jz_tls_renew_key(channel))
        return JZ_IO_BROKEN;
    return JZ_IO_OK;
}

/* A message may come in several records, but each of them has a byte of it (RFC 8446 §5.1). */
static jz_io gather_key_update(jz_tls_channel *channel, const uint8_t *content, size_t length)
{
    static const uint8_t header[JZ_TLS_MESSAGE_HEADER] = {KEY_UPDATE, 0, 0, 1};
    for (size_t i = 0; i < length; i++) {
        size_t at = channel->message_length;
        /* Nothing may follow in the same record, which has the old key. */
        if (at == JZ_TLS_KEY_UPDATE || (at == 0 && content[i] != header[0]))
            return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "a TLS message that may not come here");
        if (at < sizeof header && content[i] != header[at])
            return fail(channel, JZ_TLS_DECODE_ERROR, "a key update of a wrong length");
        channel->message[channel->message_length++] = content[i];
    }
    if (channel->message_length < JZ_TLS_KEY_UPDATE)
        return is_one_too_many(channel) ? end_flood(channel) : JZ_IO_OK;
    channel->message_length = 0;
    return take_key_update(channel, channel->message);
}

/* TLS 1.2: the client wants another handshake. It is told that there is none (RFC 5246 §7.2.2); its hello is skipped.
 */
static jz_io skip_hello(jz_tls_channel *channel, const uint8_t *content, size_t length)
{
    while (length > 0) {
        size_t part = length < channel->skipped ? length : channel->skipped;
        channel->skipped -= (uint32_t)part;
        content += part;
        length -= part;
        for (; length > 0 && channel->skipped == 0 && channel->message_length < JZ_TLS_MESSAGE_HEADER; length--)
            channel->message[channel->message_length++] = *content++;
        if (channel->message_length < JZ_TLS_MESSAGE_HEADER)
            continue;
        const uint8_t *header = channel->message;
        channel->skipped = (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
        channel->message_length = 0;
        if (header[0] != CLIENT_HELLO || channel->skipped > LONGEST_HELLO)
            return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "a TLS message that may not come here");
        if (is_one_too_many(channel))
            return end_flood(channel);
        jz_tls_tell(channel, JZ_TLS_NO_RENEGOTIATION);
    }
    return JZ_IO_OK;
}

jz_io jz_tls_take_message(jz_tls_channel *channel, uint8_t type, const uint8_t *content, size_t length)
{
    if (type != JZ_TLS_MESSAGE && (channel->message_length > 0 || channel->skipped > 0))
        return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "something else came within a TLS message");
    if (type == JZ_TLS_ALERT)
        return take_alert(channel, content, length);
    if (type != JZ_TLS_MESSAGE || length == 0)
        return fail(channel, JZ_TLS_UNEXPECTED_MESSAGE, "a record of a type that may not come here");
    return channel->records->is_1_3 ? gather_key_update(channel, content, length)
                                    : skip_hello(channel, content, length);
}
