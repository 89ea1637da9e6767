#include "session/incoming.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/mask.h"
#include "codec/unmask_text.h"
#include "session/frame_rules.h"
#include "session/memory.h"

enum { MAPPED_ONCE_COME = 4096 /* bytes received: with fewer, even one page of memory would be more than that */ };

bool jz_incoming_ensure(jz_session *session)
{
    if (session->incoming == NULL)
        session->incoming = calloc(1, sizeof *session->incoming);
    return session->incoming != NULL;
}

void jz_incoming_discard(jz_session *session)
{
    if (session->incoming != NULL) {
        jz_incoming_forget_message(session->incoming);
        jz_buffer_free(&session->incoming->kept);
        free(session->incoming);
        session->incoming = NULL;
    }
}

void jz_incoming_forget_message(jz_incoming *incoming)
{
    jz_buffer_free(&incoming->payload);
    jz_inflation_free(&incoming->inflation);
    incoming->utf8 = (jz_utf8){0};
    incoming->is_delivered = false;
}

/*
 * The capacity up to which the message's buffer may grow if more frames may follow one that makes it `whole` bytes
 * long.
 */
static size_t max_growth(const jz_session *session, size_t whole)
{
    size_t max = session->settings->max_message_size;
    if (session->message_is_compressed)
        max = jz_max_compressed_length(max);
    return whole < max ? max : whole;
}

bool jz_incoming_make_room(const jz_session *session, size_t count, size_t remaining)
{
    jz_buffer *payload = &session->incoming->payload;
    size_t whole = payload->length + remaining;
    bool is_last = session->incoming->frame.fin;
    size_t come = payload->length + count;
    bool takes_all = is_last && (whole - come < come || (come >= MAPPED_ONCE_COME && jz_memory_has_kept(whole)));
    size_t wanted = takes_all ? remaining : count;
    /* A buffer that will be mapped in the end is mapped from the start: only pages that were written to cost memory. */
    bool becomes_mapped = jz_memory_is_mapped(whole) && !jz_memory_is_mapped(payload->capacity);
    if (becomes_mapped && come >= MAPPED_ONCE_COME && wanted < JZ_MAPPED_FROM)
        wanted = JZ_MAPPED_FROM;
    return jz_buffer_reserve(payload, wanted, is_last ? whole : max_growth(session, whole));
}

bool jz_incoming_unmask(jz_session *session, uint8_t *destination, const uint8_t *bytes, size_t count)
{
    jz_incoming *incoming = session->incoming;
    const uint8_t *masking_key = incoming->frame.masking_key;
    size_t offset = (size_t)(incoming->frame_position & 3);
    if (session->message_opcode == JZ_OPCODE_TEXT && !session->message_is_compressed)
        return jz_unmask_text(&incoming->utf8, destination, bytes, count, masking_key, offset);
    jz_mask(destination, bytes, count, masking_key, offset);
    return true;
}

bool jz_incoming_carry(jz_incoming *incoming, jz_input *input, size_t wanted)
{
    if (incoming->carry_length < wanted) {
        size_t missing = wanted - incoming->carry_length;
        size_t count = missing < input->length ? missing : input->length;
        /* At most a header and the payload of a control frame; their lengths were checked before. */
        assert(wanted <= sizeof incoming->carry);
        memcpy(incoming->carry + incoming->carry_length, input->bytes, count);
        incoming->carry_length = (uint8_t)(incoming->carry_length + count);
        jz_input_advance(input, count);
    }
    return incoming->carry_length >= wanted;
}

const jz_buffer *jz_session_message(const jz_session *session, const uint8_t *bytes)
{
    const jz_incoming *incoming = session->incoming;
    bool is_there = incoming != NULL && incoming->is_delivered && incoming->payload.bytes == bytes;
    return is_there ? &incoming->payload : NULL;
}

jz_buffer jz_session_take_message(jz_session *session)
{
    jz_buffer message = session->incoming->payload;
    session->incoming->payload = (jz_buffer){0};
    return message;
}

bool jz_session_keep(jz_session *session, jz_input *input)
{
    if (!jz_incoming_ensure(session) || !jz_buffer_append(&session->incoming->kept, input->bytes, input->length))
        return false;
    input->length = 0;
    return true;
}

bool jz_incoming_has_kept(const jz_incoming *incoming)
{
    return incoming->kept.length > 0;
}

jz_input jz_session_take_kept(jz_session *session, jz_buffer *kept)
{
    jz_incoming *incoming = session->incoming;
    *kept = incoming->kept;
    size_t taken = incoming->kept_taken;
    incoming->kept = (jz_buffer){0};
    incoming->kept_taken = 0;
    return (jz_input){kept->bytes + taken, kept->length - taken};
}

bool jz_session_give_back_kept(jz_session *session, const jz_buffer *kept, const jz_input *left)
{
    if (!jz_incoming_ensure(session))
        return false;
    session->incoming->kept = *kept;
    session->incoming->kept_taken = kept->length - left->length;
    return true;
}
