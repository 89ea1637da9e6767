#include "sent_frames.h"

#include "codec/big_endian.h"
#include "codec/close_code.h"
#include "codec/frame_header.h"
#include "reference_inflate.h"
#include "reference_utf8.h"
#include "transcript.h"

typedef struct reader {
    const session_script *script;
    reference_inflate inflate;
    jz_buffer inflated;
    jz_buffer received; /* a transcript of the frames before the close frame */
    bool has_close;
    uint16_t close_code;
} reader;

static void read_data(reader *reader, const jz_frame_header *header, const uint8_t *payload)
{
    size_t length = (size_t)header->payload_length;
    if (header->reserved != 0) {
        require(reader->script->agreement.is_agreed && header->reserved == JZ_RSV1, "RSV1 was agreed on, no other");
        require(reference_inflate_message(&reader->inflate, payload, length, SIZE_MAX - 1, &reader->inflated) ==
                    REFERENCE_INFLATED,
                "the client decompresses what was compressed, with the window that was agreed on");
        require(reader->inflated.length > length, "what is compressed gets smaller");
        payload = reader->inflated.bytes;
        length = reader->inflated.length;
    }
    bool is_text = header->opcode == JZ_OPCODE_TEXT;
    require(!is_text || reference_utf8(payload, length) == REFERENCE_UTF8_VALID, "text is UTF-8");
    transcript_append_message(&reader->received, is_text ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY, payload, length);
}

static void read_close(reader *reader, const uint8_t *payload, size_t length)
{
    require(length != 1, "a close frame has a whole code or none");
    reader->has_close = true;
    reader->close_code = length == 0 ? JZ_CLOSE_NO_STATUS : jz_read_uint16(payload);
    require(length == 0 || jz_close_code_may_be_sent(reader->close_code), "the close code may be sent");
    require(length < 2 || reference_utf8(payload + 2, length - 2) == REFERENCE_UTF8_VALID, "the reason is UTF-8");
}

static void read_frame(reader *reader, const jz_frame_header *header, const uint8_t *payload)
{
    require(!header->masked && header->fin && header->length_is_minimal, "a frame is what a server may send");
    if (!jz_opcode_is_control(header->opcode)) {
        require(header->opcode == JZ_OPCODE_TEXT || header->opcode == JZ_OPCODE_BINARY, "a message is text or binary");
        require(!reader->has_close, "no message comes after the close frame");
        read_data(reader, header, payload);
        return;
    }
    size_t length = (size_t)header->payload_length;
    require(header->payload_length <= JZ_MAX_CONTROL_PAYLOAD && header->reserved == 0, "a control frame is legal");
    if (header->opcode == JZ_OPCODE_CLOSE) {
        require(!reader->has_close, "there is one close frame at most");
        read_close(reader, payload, length);
        return;
    }
    require(header->opcode == JZ_OPCODE_PONG || (header->opcode == JZ_OPCODE_PING && !reader->has_close),
            "only pongs come after the close frame");
    /* Pings that come after our close frame are answered, but cause no event. */
    if (!reader->has_close)
        transcript_append_message(
            &reader->received, header->opcode == JZ_OPCODE_PING ? JZ_MESSAGE_PING : JZ_MESSAGE_PONG, payload, length);
}

static void read_frames(reader *reader, const jz_buffer *output)
{
    for (size_t position = 0; position < output->length;) {
        jz_frame_header header;
        size_t rest = output->length - position;
        require(jz_frame_header_decode(output->bytes + position, rest, &header) &&
                    header.payload_length <= rest - header.header_length,
                "the output consists of whole frames");
        read_frame(reader, &header, output->bytes + position + header.header_length);
        position += header.header_length + (size_t)header.payload_length;
    }
}

static void check_close(const reader *reader, const session_record *record)
{
    require(reader->has_close == (record->closed_itself || record->was_clean || record->has_failed),
            "a close frame is sent where the session closed, answered or failed");
    if (record->closed_itself)
        require(reader->close_code == record->own_close_code, "it has the code that it was given");
    else if (reader->has_close)
        require(reader->close_code == record->close_code, "it has the code that the close event has");
    else
        require(record->close_code == JZ_CLOSE_ABNORMAL, "without one, the close event says so");
}

void sent_frames_check(const session_script *script, const session_record *record)
{
    const jz_deflate_agreement *agreement = &script->agreement;
    reader reader = {.script = script,
                     .inflate = {.window_bits = agreement->server_max_window_bits,
                                 .keeps_context = !agreement->server_no_context_takeover,
                                 .piece = 32}};
    read_frames(&reader, &record->output);
    require(transcript_equals(&reader.received, &record->sent), "the client receives what was sent");
    check_close(&reader, record);
    reference_inflate_free(&reader.inflate);
    jz_buffer_free(&reader.inflated);
    jz_buffer_free(&reader.received);
}
