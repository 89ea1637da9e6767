#include <string.h>

#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"
#include "channel/input.h"
#include "channel/messages.h"
#include "channel/tickets.h"

enum {
    MOST_ANSWERS = 2 * 1024, /* bytes of answers that a peer may leave untaken before it is not read from any more */
    VOLUME_PER_ALLOWANCE = 64 * 1024
};

/* One call's: the ciphertext in the loop's buffer, the server's memory. */
typedef struct reading {
    const uint8_t *input;
    size_t length;
    uint8_t *bytes;
    size_t capacity;
    size_t received;
} reading;

/* Nothing was received, and nothing is wrong with what came. */
static jz_io reason_for_nothing(jz_tls_channel *channel)
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

/* No request has come that they could go out with the answer to. */
static void send_tickets(jz_tls_loop *loop, jz_tls_channel *channel)
{
    jz_tls_gather_held(channel);
    jz_tls_send_gathered(loop);
}

static void note_volume(jz_tls_channel *channel, size_t received)
{
    channel->volume += (uint32_t)received;
    if (channel->volume >= VOLUME_PER_ALLOWANCE) {
        channel->volume = 0;
        channel->messages = 0;
    }
}

/* What is kept is the beginning of the input now, of which `length` bytes were kept. Else: nothing is whole yet. */
static bool join_kept(jz_tls_channel *channel, size_t length, size_t whole)
{
    uint8_t *input = channel->loop->fetched;
    const jz_tls_kept *kept = channel->kept;
    size_t record;
    memcpy(input, kept->bytes, length < JZ_TLS_HEADER ? length : JZ_TLS_HEADER);
    if (whole < JZ_TLS_HEADER ||
        (jz_tls_look_at_header(channel->records, input, &record) == JZ_TLS_FINE && record > whole)) {
        jz_tls_keep(channel, input + length, whole - length);
        return false;
    }
    memcpy(input, kept->bytes, length);
    return true;
}

/* What was kept, and what the socket has, as soon as that makes a record. */
static void gather_input(jz_tls_channel *channel, reading *reading)
{
    jz_tls_loop *loop = channel->loop;
    size_t kept = channel->kept != NULL ? channel->kept->length : 0;
    /* A record is never larger when it is decrypted: all that is read has room. */
    size_t most = reading->capacity > JZ_TLS_MOST_RECORD ? reading->capacity : JZ_TLS_MOST_RECORD;
    if (most > sizeof loop->fetched)
        most = sizeof loop->fetched;
    reading->input = loop->fetched;
    reading->length = kept;
    if (kept < most && !jz_tls_has_whole_record(channel)) {
        loop->is_drained = false;
        loop->receivable = most - kept;
        reading->length += jz_tls_read_socket(loop, loop->fetched + kept, most - kept);
    }
    if (kept > 0 && !join_kept(channel, kept, reading->length))
        reading->length = 0;
}

static jz_io take_record(jz_tls_channel *channel, reading *reading, const uint8_t *record, size_t room_needed)
{
    bool fits = room_needed <= reading->capacity - reading->received;
    uint8_t *content = fits ? reading->bytes + reading->received : channel->loop->scratch;
    size_t length;
    uint8_t type;
    jz_tls_fault fault = jz_tls_open(channel->records, record, content, &length, &type);
    if (fault != JZ_TLS_FINE)
        return jz_tls_refuse(channel, fault);
    if (type != JZ_TLS_DATA)
        return jz_tls_take_message(channel, type, content, length);
    jz_io result = jz_tls_take_data(channel, length);
    if (result != JZ_IO_OK)
        return result;
    size_t passed = length < reading->capacity - reading->received ? length : reading->capacity - reading->received;
    if (!fits) {
        memcpy(reading->bytes + reading->received, content, passed);
        if (passed < length)
            jz_tls_spill_data(channel, content + passed, length - passed);
    }
    reading->received += passed;
    return channel->is_broken ? JZ_IO_BROKEN : JZ_IO_OK;
}

/* Decrypts whole records as long as there is room, and keeps the rest. */
static jz_io take_records(jz_tls_channel *channel, reading *reading)
{
    jz_io result = JZ_IO_OK;
    size_t at = 0;
    /* Behind data that the server had no room for nothing is looked at: an error would overtake it. */
    while (result == JZ_IO_OK && channel->spill == NULL && reading->length - at >= JZ_TLS_HEADER) {
        size_t record;
        jz_tls_fault fault = jz_tls_look_at_header(channel->records, reading->input + at, &record);
        if (fault != JZ_TLS_FINE) {
            result = jz_tls_refuse(channel, fault);
            break;
        }
        if (record > reading->length - at)
            break;
        /* Only one that the server's whole memory is too small for is decrypted elsewhere. */
        if (reading->received > 0 && record > reading->capacity - reading->received)
            break;
        result = take_record(channel, reading, reading->input + at, record);
        at += record;
    }
    if (result == JZ_IO_OK && (at < reading->length || channel->kept != NULL))
        jz_tls_keep_only(channel, reading->input + at, reading->length - at);
    return channel->is_broken ? JZ_IO_BROKEN : result;
}

static jz_io receive_once(jz_tls_channel *channel, reading *reading)
{
    channel->loop->is_drained = true;
    if (channel->spill != NULL) {
        reading->received = jz_tls_take_spilled(channel, reading->bytes, reading->capacity);
        return JZ_IO_OK;
    }
    gather_input(channel, reading);
    return reading->length > 0 ? take_records(channel, reading) : JZ_IO_OK;
}

/* Whether there is something that the poll does not know of. */
static bool has_more_inside(const jz_tls_channel *channel)
{
    return channel->outcome != JZ_IO_OK || jz_tls_has_whole_record(channel) || channel->spill != NULL ||
           channel->early != NULL || channel->has_ended || !channel->loop->is_drained;
}

jz_io jz_tls_receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    jz_tls_channel *channel = opaque;
    jz_tls_loop *loop = jz_tls_enter(channel);
    if (channel->outcome != JZ_IO_OK)
        return (jz_io)channel->outcome;
    if (channel->is_stalled)
        return JZ_IO_WOULD_BLOCK;
    reading reading = {.bytes = bytes, .capacity = capacity};
    jz_io result;
    do {
        result = receive_once(channel, &reading);
    } while (result == JZ_IO_OK && reading.received == 0 && channel->early != NULL);
    if (loop->gathered_length > 0)
        send_answers(loop, channel);
    else if (reading.received == 0 && channel->held != NULL)
        send_tickets(loop, channel);
    if (result != JZ_IO_OK)
        channel->outcome = (uint8_t)result;
    if (reading.received == 0)
        return result != JZ_IO_OK ? result : reason_for_nothing(channel);
    note_volume(channel, reading.received);
    *received = reading.received;
    *has_more = has_more_inside(channel);
    return JZ_IO_OK;
}
