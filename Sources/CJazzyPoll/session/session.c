#include "session/session.h"

#include <assert.h>
#include <string.h>

#include "codec/big_endian.h"
#include "codec/close_code.h"
#include "codec/frame_header.h"
#include "codec/mask.h"
#include "codec/unmask_text.h"
#include "codec/utf8.h"
#include "session/frame_rules.h"
#include "session/incoming.h"
#include "session/inflation.h"
#include "session/frame_writer.h"

/* The result of one step of reading. */
typedef enum step {
    STEP_CONTINUE,    /* a frame or a part of one was taken; there may be more */
    STEP_EVENT,       /* there is an event to return */
    STEP_NEEDS_INPUT, /* all input was taken */
    STEP_FAILED       /* a rule was broken: session->failure */
} step;

static uint8_t no_bytes[1];

void jz_session_init(jz_session *session, const jz_session_settings *settings)
{
    *session = (jz_session){.settings = settings, .state = JZ_SESSION_OPEN};
}

void jz_session_use_deflate(jz_session *session, const jz_deflate_agreement *agreement)
{
    session->uses_deflate = agreement->is_agreed;
    session->keeps_own_context = !agreement->server_no_context_takeover;
    session->keeps_peer_context = !agreement->client_no_context_takeover;
    session->own_window_bits = agreement->server_max_window_bits;
    session->peer_window_bits = agreement->client_max_window_bits;
}

void jz_session_free(jz_session *session)
{
    jz_incoming_discard(session);
    jz_dedicated_compression_free(session->dedicated);
    session->dedicated = NULL;
}

static step fail(jz_session *session, jz_failure failure)
{
    session->failure = (uint8_t)failure;
    return STEP_FAILED;
}

static inline step yield_message(jz_session *session, jz_message_kind kind, const uint8_t *bytes, size_t length,
                                 jz_event *event, jz_message *message)
{
    /* After our close frame the handler gets no event but the close event (see jz_ws_close). */
    if (session->state != JZ_SESSION_OPEN)
        return STEP_CONTINUE;
    *event = (jz_event){.type = JZ_EVENT_MESSAGE, .close_reason = ""};
    *message = (jz_message){.kind = kind, .bytes = length > 0 ? bytes : no_bytes, .length = length};
    return STEP_EVENT;
}

static void fill_close_event(const jz_session *session, jz_event *event, jz_message *message, uint16_t code,
                             bool was_clean, const uint8_t *reason, size_t reason_length)
{
    *event = (jz_event){.type = JZ_EVENT_CLOSE,
                        .close_code = code,
                        .was_clean = was_clean,
                        .close_reason = reason_length > 0 ? (const char *)reason : "",
                        .close_reason_length = reason_length,
                        .cause = (jz_close_cause)session->cause,
                        .failure = (jz_failure)session->failure};
    *message = (jz_message){.kind = JZ_MESSAGE_TEXT, .bytes = no_bytes};
}

/* §5.5.1 and §7.1.5: the peer's close frame is answered once, with its own code. */
static step take_close(jz_session *session, const uint8_t *payload, size_t length, jz_buffer *output, jz_event *event,
                       jz_message *message)
{
    uint16_t code = JZ_CLOSE_NO_STATUS;
    if (length == 1)
        return fail(session, JZ_FAILURE_INVALID_CLOSE_LENGTH);
    if (length >= 2) {
        code = jz_read_uint16(payload);
        if (!jz_close_code_may_be_sent(code))
            return fail(session, JZ_FAILURE_INVALID_CLOSE_CODE);
        if (!jz_utf8_is_valid(payload + 2, length - 2))
            return fail(session, JZ_FAILURE_INVALID_UTF8);
    }
    if (session->state == JZ_SESSION_OPEN && !jz_append_close_frame(output, code, NULL, 0))
        return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
    session->state = JZ_SESSION_ENDED;
    fill_close_event(session, event, message, code, true, length > 2 ? payload + 2 : NULL, length > 2 ? length - 2 : 0);
    return STEP_EVENT;
}

static step take_control(jz_session *session, const jz_frame_header *header, uint8_t *payload, jz_buffer *output,
                         jz_event *event, jz_message *message)
{
    size_t length = (size_t)header->payload_length;
    /* In place: the payload is complete, in the input or in `carry`. */
    assert(length <= JZ_MAX_CONTROL_PAYLOAD);
    jz_mask(payload, payload, length, header->masking_key, 0);
    if (header->opcode == JZ_OPCODE_CLOSE)
        return take_close(session, payload, length, output, event, message);
    if (header->opcode == JZ_OPCODE_PONG)
        return yield_message(session, JZ_MESSAGE_PONG, payload, length, event, message);
    /* §5.5.2: pings are answered until the peer has closed, even after our own close frame. */
    if (!jz_append_frame(output, JZ_OPCODE_PONG, 0, payload, length))
        return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
    return yield_message(session, JZ_MESSAGE_PING, payload, length, event, message);
}

static jz_message_kind kind_of(uint8_t opcode)
{
    return opcode == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
}

/* `compressed`: how many bytes it had. */
static step yield_decompressed_message(jz_session *session, uint8_t opcode, const jz_buffer *bytes, uint64_t compressed,
                                       jz_event *event, jz_message *message)
{
    if (opcode == JZ_OPCODE_TEXT && !jz_utf8_is_valid(bytes->bytes, bytes->length))
        return fail(session, JZ_FAILURE_INVALID_UTF8);
    step taken = yield_message(session, kind_of(opcode), bytes->bytes, bytes->length, event, message);
    if (taken == STEP_EVENT)
        jz_compression_count_received(session->settings->workspace, bytes->length, compressed);
    return taken;
}

/* RFC 7692 §7.2.2. */
static step yield_compressed_message(jz_session *session, uint8_t opcode, const uint8_t *bytes, size_t length,
                                     jz_event *event, jz_message *message)
{
    jz_compression_workspace *workspace = session->settings->workspace;
    jz_decompressor **own = NULL;
    if (session->keeps_peer_context) {
        if (!jz_dedicated_compression_ensure(&session->dedicated))
            return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
        own = &session->dedicated->decompressor;
    }
    jz_failure failure =
        jz_decompress(workspace, own, session->peer_window_bits, bytes, length, session->settings->max_message_size);
    if (failure != JZ_FAILURE_NONE)
        return fail(session, failure);
    return yield_decompressed_message(session, opcode, &workspace->decompressed, length, event, message);
}

/* An uncompressed message that is complete in the input. */
static inline step take_plain_message(jz_session *session, uint8_t opcode, uint8_t *payload, size_t length,
                                      const uint8_t masking_key[4], jz_event *event, jz_message *message)
{
    if (opcode == JZ_OPCODE_TEXT) {
        jz_utf8 utf8 = {0};
        if (!jz_unmask_text(&utf8, payload, payload, length, masking_key, 0) || !jz_utf8_is_complete(&utf8))
            return fail(session, JZ_FAILURE_INVALID_UTF8);
    } else {
        jz_mask(payload, payload, length, masking_key, 0);
    }
    return yield_message(session, kind_of(opcode), payload, length, event, message);
}

/* A message in one frame that is complete in the input. */
static step take_whole_message(jz_session *session, const jz_frame_header *header, jz_input *input, jz_event *event,
                               jz_message *message)
{
    uint8_t *payload = input->bytes;
    size_t length = (size_t)header->payload_length;
    /* Unmasked in place: it is complete, and the session may write to the input. */
    assert(header->payload_length <= input->length);
    jz_input_advance(input, length);
    if (header->reserved == 0)
        return take_plain_message(session, header->opcode, payload, length, header->masking_key, event, message);
    jz_mask(payload, payload, length, header->masking_key, 0);
    return yield_compressed_message(session, header->opcode, payload, length, event, message);
}

static step finish_message(jz_session *session, jz_event *event, jz_message *message)
{
    jz_incoming *incoming = session->incoming;
    uint8_t opcode = session->message_opcode;
    session->message_opcode = 0;
    incoming->frame_count = 0;
    incoming->is_delivered = true;
    if (incoming->inflation != NULL) {
        jz_failure failure = jz_inflate_rest(session);
        return failure != JZ_FAILURE_NONE ? fail(session, failure)
                                          : yield_decompressed_message(session, opcode, &incoming->inflation->message,
                                                                       incoming->inflation->taken, event, message);
    }
    if (session->message_is_compressed)
        return yield_compressed_message(session, opcode, incoming->payload.bytes, incoming->payload.length, event,
                                        message);
    if (opcode == JZ_OPCODE_TEXT && !jz_utf8_is_complete(&incoming->utf8))
        return fail(session, JZ_FAILURE_INVALID_UTF8);
    return yield_message(session, kind_of(opcode), incoming->payload.bytes, incoming->payload.length, event, message);
}

/* Unmasks what the input has of the current data frame's payload into the message's buffer. */
static step take_payload(jz_session *session, jz_input *input, jz_event *event, jz_message *message)
{
    jz_incoming *incoming = session->incoming;
    uint64_t remaining = incoming->frame.payload_length - incoming->frame_position;
    size_t count = remaining < input->length ? (size_t)remaining : input->length;
    if (count > 0) {
        if (!jz_incoming_make_room(session, count, (size_t)remaining))
            return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
        uint8_t *destination = incoming->payload.bytes + incoming->payload.length;
        assert(count <= incoming->payload.capacity - incoming->payload.length);
        if (!jz_incoming_unmask(session, destination, input->bytes, count))
            return fail(session, JZ_FAILURE_INVALID_UTF8);
        jz_input_advance(input, count);
        incoming->payload.length += count;
        incoming->frame_position += count;
    }
    if (incoming->frame_position < incoming->frame.payload_length)
        return STEP_NEEDS_INPUT;
    incoming->has_frame = false;
    return incoming->frame.fin ? finish_message(session, event, message) : STEP_CONTINUE;
}

static step begin_data_frame(jz_session *session, const jz_frame_header *header, jz_input *input, jz_event *event,
                             jz_message *message)
{
    if (header->fin && session->message_opcode == 0 && header->payload_length <= input->length)
        return take_whole_message(session, header, input, event, message);
    if (!jz_incoming_ensure(session))
        return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
    if (header->opcode != JZ_OPCODE_CONTINUATION) {
        session->message_opcode = header->opcode;
        session->message_is_compressed = header->reserved != 0;
    }
    session->incoming->frame_count++;
    session->incoming->has_frame = true;
    session->incoming->frame = *header;
    session->incoming->frame_position = 0;
    return take_payload(session, input, event, message);
}

/*
 * Checks a frame that breaks a rule once more: if it is too large and belongs to a compressed message, the message is
 * inflated ahead of its end first.
 */
static jz_failure judge_again(jz_session *session, const jz_frame_header *header, jz_failure failure)
{
    if (failure != JZ_FAILURE_MESSAGE_TOO_BIG || session->message_opcode == 0 || !session->message_is_compressed ||
        header->payload_length > jz_max_compressed_length(session->settings->max_message_size))
        return failure;
    failure = jz_inflate_ahead(session);
    return failure != JZ_FAILURE_NONE ? failure : jz_judge_frame(session, header);
}

/*
 * A frame whose header is incomplete in the input: gathers the header in `carry`, and a control frame's payload, too.
 */
static step take_carried_frame(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                               jz_message *message)
{
    if (!jz_incoming_ensure(session))
        return fail(session, JZ_FAILURE_OUT_OF_MEMORY);
    jz_incoming *incoming = session->incoming;
    if (!jz_incoming_carry(incoming, input, 2) ||
        !jz_incoming_carry(incoming, input, jz_frame_header_length(incoming->carry)))
        return STEP_NEEDS_INPUT;
    jz_frame_header header = {0};
    jz_frame_header_decode(incoming->carry, incoming->carry_length, &header);
    jz_failure failure = jz_judge_frame(session, &header);
    if (failure != JZ_FAILURE_NONE)
        failure = judge_again(session, &header, failure);
    if (failure != JZ_FAILURE_NONE)
        return fail(session, failure);
    if (!jz_opcode_is_control(header.opcode)) {
        incoming->carry_length = 0;
        return begin_data_frame(session, &header, input, event, message);
    }
    if (!jz_incoming_carry(incoming, input, header.header_length + (size_t)header.payload_length))
        return STEP_NEEDS_INPUT;
    incoming->carry_length = 0;
    return take_control(session, &header, incoming->carry + header.header_length, output, event, message);
}

/* A frame that begins in the input. */
static step take_frame(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event, jz_message *message)
{
    jz_frame_header header;
    if (!jz_frame_header_decode(input->bytes, input->length, &header))
        return take_carried_frame(session, input, output, event, message);
    jz_failure failure = jz_judge_frame(session, &header);
    if (failure != JZ_FAILURE_NONE)
        failure = judge_again(session, &header, failure);
    if (failure != JZ_FAILURE_NONE)
        return fail(session, failure);
    if (!jz_opcode_is_control(header.opcode)) {
        jz_input_advance(input, header.header_length);
        return begin_data_frame(session, &header, input, event, message);
    }
    if (header.payload_length > input->length - header.header_length)
        return take_carried_frame(session, input, output, event, message);
    uint8_t *payload = input->bytes + header.header_length;
    jz_input_advance(input, header.header_length + (size_t)header.payload_length);
    return take_control(session, &header, payload, output, event, message);
}

static step take_step(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event, jz_message *message)
{
    jz_incoming *incoming = session->incoming;
    if (incoming != NULL) {
        if (incoming->is_delivered)
            jz_incoming_forget_message(incoming);
        if (incoming->has_frame)
            return input->length > 0 ? take_payload(session, input, event, message) : STEP_NEEDS_INPUT;
        if (incoming->carry_length > 0)
            return input->length > 0 ? take_carried_frame(session, input, output, event, message) : STEP_NEEDS_INPUT;
        if (session->message_opcode == 0)
            jz_incoming_discard(session);
    }
    return input->length > 0 ? take_frame(session, input, output, event, message) : STEP_NEEDS_INPUT;
}

void jz_session_blame(jz_session *session, jz_close_cause cause)
{
    if (session->state == JZ_SESSION_OPEN && session->cause == JZ_CAUSE_PEER)
        session->cause = (unsigned)cause & 15;
}

static jz_close_cause cause_of(jz_failure failure)
{
    if (failure == JZ_FAILURE_NONE)
        return JZ_CAUSE_PEER;
    return failure == JZ_FAILURE_IDLE_TIMEOUT ? JZ_CAUSE_IDLE : JZ_CAUSE_FAILURE;
}

/* §7.1.7, Fail the WebSocket Connection: a close frame with the failure's code, unless one was sent before. */
void jz_session_fail(jz_session *session, jz_failure failure, jz_buffer *output)
{
    session->failure = (uint8_t)failure;
    jz_session_blame(session, cause_of(failure));
    if (session->state == JZ_SESSION_OPEN) {
        const char *reason = jz_failure_text(failure);
        /* If there is no memory, the connection ends without a close frame. */
        (void)jz_append_close_frame(output, jz_failure_close_code(failure), reason, strlen(reason));
    }
    session->state = JZ_SESSION_FAILED;
}

/* Returns the events that end a session; discards input. */
static bool yield_ending(jz_session *session, jz_input *input, jz_event *event, jz_message *message)
{
    input->length = 0;
    switch (session->state) {
    case JZ_SESSION_FAILED:
        session->state = JZ_SESSION_ENDING;
        *event = (jz_event){.type = JZ_EVENT_ERROR, .failure = (jz_failure)session->failure, .close_reason = ""};
        *message = (jz_message){.kind = JZ_MESSAGE_TEXT, .bytes = no_bytes};
        return true;
    case JZ_SESSION_ENDING:
        session->state = JZ_SESSION_ENDED;
        fill_close_event(session, event, message, jz_failure_close_code((jz_failure)session->failure), false, NULL, 0);
        return true;
    default:
        jz_incoming_discard(session);
        return false;
    }
}

bool jz_session_next_of_any(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                            jz_message *message)
{
    while (session->state <= JZ_SESSION_CLOSE_SENT) {
        switch (take_step(session, input, output, event, message)) {
        case STEP_EVENT:
            return true;
        case STEP_NEEDS_INPUT:
            return false;
        case STEP_FAILED:
            jz_session_fail(session, (jz_failure)session->failure, output);
            break;
        case STEP_CONTINUE:
            break;
        }
    }
    return yield_ending(session, input, event, message);
}

uint64_t jz_session_missing(const jz_session *session)
{
    const jz_incoming *incoming = session->incoming;
    return incoming != NULL && incoming->has_frame ? incoming->frame.payload_length - incoming->frame_position : 0;
}

void jz_session_end(jz_session *session, jz_failure failure)
{
    if (session->state > JZ_SESSION_CLOSE_SENT)
        return;
    session->failure = (uint8_t)failure;
    jz_session_blame(session, cause_of(failure));
    session->state = failure == JZ_FAILURE_NONE ? JZ_SESSION_ENDING : JZ_SESSION_FAILED;
}
