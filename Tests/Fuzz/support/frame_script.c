#include "frame_script.h"

#include "codec/frame_header.h"
#include "client_frame.h"
#include "reference_utf8.h"
#include "transcript.h"

enum { MAX_STEPS = 48, MAX_FRAGMENTS = 5, ENOUGH_BYTES = 1 << 18 };

void frame_script_init(frame_script *frames, session_script *script, fuzz_input *input)
{
    *frames = (frame_script){.script = script, .input = input, .is_predictable = true};
    uint8_t window_bits = script->agreement.client_max_window_bits;
    if (script->agreement.is_agreed)
        client_deflate_init(&frames->deflate, window_bits < 9 ? 9 : window_bits,
                            (uint8_t)(9 - fuzz_take_below(input, 9)));
}

void frame_script_free(frame_script *frames)
{
    if (frames->script->agreement.is_agreed)
        client_deflate_free(&frames->deflate);
    jz_buffer_free(&frames->expected_events);
}

/* Sets one field to something else, which may, but need not, be wrong. */
static void mutate(client_frame *frame, fuzz_input *input)
{
    uint8_t value = fuzz_take_byte(input);
    switch (fuzz_take_below(input, 8)) {
    case 0:
        frame->fin = !frame->fin;
        break;
    case 1:
        frame->reserved = value & 7;
        break;
    case 2:
        frame->opcode = value & 15;
        break;
    case 3:
        frame->masked = false;
        break;
    case 4:
        frame->form = (length_form)(value % 3);
        break;
    case 5:
        frame->claimed_length += (uint64_t)value - 128;
        break;
    case 6:
        frame->form = LENGTH_OF_64_BITS;
        frame->claimed_length = UINT64_C(1) << (value & 63);
        break;
    default:
        frame->payload_length = frame->payload_length * value / 256;
    }
}

/* Appends a frame: its masking key, and perhaps a mutation, come from the input. */
static void append_frame(frame_script *frames, client_frame frame)
{
    enum { ONE_IN = 24 };
    uint8_t choice = fuzz_take_byte(frames->input);
    for (size_t i = 0; i < 4; i++)
        frame.masking_key[i] = (uint8_t)(choice * (i + 1));
    frame.masked = true;
    frame.claimed_length = frame.payload_length;
    if (choice % ONE_IN == ONE_IN - 1) {
        mutate(&frame, frames->input);
        frames->is_predictable = false;
    }
    client_frame_append(&frames->script->bytes, &frame);
}

static void expect_message(frame_script *frames, jz_message_kind kind, const uint8_t *bytes, size_t length)
{
    if (frames->is_predictable)
        transcript_append_message(&frames->expected_events, kind, bytes, length);
}

static void append_control(frame_script *frames, uint8_t opcode)
{
    fuzz_input payload = fuzz_take_bytes(frames->input, fuzz_take_below(frames->input, JZ_MAX_CONTROL_PAYLOAD + 1));
    append_frame(
        frames,
        (client_frame){.fin = true, .opcode = opcode, .payload = payload.bytes, .payload_length = payload.length});
    expect_message(frames, opcode == JZ_OPCODE_PING ? JZ_MESSAGE_PING : JZ_MESSAGE_PONG, payload.bytes, payload.length);
}

static void append_close(frame_script *frames)
{
    static const uint16_t codes[] = {1000, 1001, 1002, 1003, 1007, 1014, 3000, 4999,
                                     0,    999,  1004, 1005, 1006, 1015, 2999, 5000};
    uint8_t choice = fuzz_take_byte(frames->input);
    uint16_t code = codes[choice % COUNT_OF(codes)];
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t length = choice < 128 ? 2 : choice < 192 ? 0 : 1;
    append_frame(frames,
                 (client_frame){.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = payload, .payload_length = length});
    bool is_legal = length == 0 || (length == 2 && choice % COUNT_OF(codes) < 8);
    if (frames->is_predictable && is_legal)
        transcript_append_close(&frames->expected_events, length == 0 ? JZ_CLOSE_NO_STATUS : code, true, NULL, 0);
    if (frames->is_predictable && !is_legal)
        transcript_append_error(&frames->expected_events,
                                length == 1 ? JZ_FAILURE_INVALID_CLOSE_LENGTH : JZ_FAILURE_INVALID_CLOSE_CODE);
    frames->is_predictable = false;
}

/* Bytes that cannot be compressed, or for text only a little: the high halves of a linear congruential sequence. */
static void append_noise(jz_buffer *contents, size_t length, bool is_text)
{
    uint32_t state = (uint32_t)length;
    require(jz_buffer_reserve(contents, length, SIZE_MAX), "the fuzzer has memory");
    while (contents->length < length) {
        state = state * 1664525 + 1013904223;
        contents->bytes[contents->length++] = (uint8_t)(state >> 24 & (is_text ? 0x7F : 0xFF));
    }
}

/* Appends the pattern `count` times, but no more than `most` bytes. */
static void append_repeated(jz_buffer *contents, const char *pattern, size_t count, size_t most)
{
    size_t total = strlen(pattern) * count;
    total = total < most ? total : most;
    require(jz_buffer_reserve(contents, total + strlen(pattern), SIZE_MAX), "the fuzzer has memory");
    memcpy(contents->bytes, pattern, strlen(pattern));
    contents->length = total;
    for (size_t filled = strlen(pattern); filled < total; filled *= 2)
        memcpy(contents->bytes + filled, contents->bytes, filled < total - filled ? filled : total - filled);
}

/* The contents of a message: bytes of the input, noise, or something that repeats itself. */
static void take_contents(frame_script *frames, bool is_text, jz_buffer *contents)
{
    static const char *const patterns[] = {"a", "Hello, ", "é", "€uro ", "\xF0\x9F\x98\x80"};
    static const size_t counts[] = {0, 1, 2, 41, 125, 126, 127, 1000, 21845, 65535, 65536, 65537};
    uint8_t choice = fuzz_take_byte(frames->input);
    if (choice % 2 == 1) {
        fuzz_input taken = fuzz_take_bytes(frames->input, choice);
        require(jz_buffer_append(contents, taken.bytes, taken.length), "the fuzzer has memory");
        return;
    }
    size_t pattern = choice / 2 % (COUNT_OF(patterns) + 1);
    size_t count = counts[fuzz_take_below(frames->input, COUNT_OF(counts))];
    if (pattern == COUNT_OF(patterns)) {
        append_noise(contents, count, is_text);
        return;
    }
    append_repeated(contents, patterns[pattern], count, frames->script->settings.max_message_size + 4);
}

/* Compresses the contents, perhaps with an error in the output. */
static void deflate_contents(frame_script *frames, const jz_buffer *contents, jz_buffer *payload)
{
    uint8_t choice = fuzz_take_byte(frames->input);
    uint8_t flags = fuzz_take_byte(frames->input);
    client_deflate_manner manner = {.level_below_9 = choice % 10,
                                    .strategy = choice / 10 % 5,
                                    .begins_anew =
                                        (flags & 1) != 0 || frames->script->agreement.client_no_context_takeover,
                                    .has_several_blocks = (flags & 2) != 0,
                                    .ends_with_final_block = (flags & 4) != 0,
                                    .leaves_out_the_last_block = (flags & 8) != 0};
    client_deflate_message(&frames->deflate, manner, contents->bytes, contents->length, payload);
    if ((flags & 0xF0) == 0xF0 && payload->length > 0) {
        payload->bytes[fuzz_take_uint16(frames->input) % payload->length] ^= fuzz_take_byte(frames->input);
        frames->is_predictable = false;
    }
}

/* Sends a payload in fragments of about the same length, perhaps with control frames between them. */
static void append_fragments(frame_script *frames, uint8_t opcode, bool is_compressed, const jz_buffer *payload)
{
    uint8_t choice = fuzz_take_byte(frames->input);
    size_t count = 1 + choice % MAX_FRAGMENTS;
    for (size_t i = 0; i < count; i++) {
        size_t start = payload->length * i / count;
        size_t end = payload->length * (i + 1) / count;
        append_frame(frames, (client_frame){.fin = i == count - 1,
                                            .reserved = is_compressed && i == 0 ? JZ_RSV1 : 0,
                                            .opcode = i == 0 ? opcode : JZ_OPCODE_CONTINUATION,
                                            .payload = payload->bytes + start,
                                            .payload_length = end - start});
        if ((choice & 0x80) != 0 && i + 1 < count)
            append_control(frames, (choice & 0x40) != 0 ? JZ_OPCODE_PING : JZ_OPCODE_PONG);
    }
}

/* If the contents are wrong, the time of the failure depends on fragments: later events are not known. */
static bool is_acceptable(const frame_script *frames, bool is_text, const jz_buffer *contents)
{
    return contents->length <= frames->script->settings.max_message_size &&
           (!is_text || reference_utf8(contents->bytes, contents->length) == REFERENCE_UTF8_VALID);
}

static void append_message(frame_script *frames, bool is_text)
{
    bool is_compressed = frames->script->agreement.is_agreed && (fuzz_take_byte(frames->input) & 1) == 0;
    jz_buffer contents = {0};
    jz_buffer payload = {0};
    take_contents(frames, is_text, &contents);
    if (is_compressed)
        deflate_contents(frames, &contents, &payload);
    frames->is_predictable = frames->is_predictable && is_acceptable(frames, is_text, &contents);
    append_fragments(frames, is_text ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY, is_compressed,
                     is_compressed ? &payload : &contents);
    expect_message(frames, is_text ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY, contents.bytes, contents.length);
    if (frames->script->handler == HANDLER_CLOSES)
        frames->is_predictable = false;
    jz_buffer_free(&contents);
    jz_buffer_free(&payload);
}

static void append_raw_bytes(frame_script *frames)
{
    fuzz_input raw = fuzz_take_bytes(frames->input, fuzz_take_byte(frames->input));
    require(jz_buffer_append(&frames->script->bytes, raw.bytes, raw.length), "the fuzzer has memory");
    frames->is_predictable = frames->is_predictable && raw.length == 0;
}

static void add_action(frame_script *frames)
{
    script_action_type type = (script_action_type)fuzz_take_below(frames->input, SCRIPT_ACTION_TYPES);
    session_script_add_action(frames->script, type, fuzz_take_byte(frames->input));
    if (type != ACTION_SEND)
        frames->is_predictable = false;
}

static void read_step(frame_script *frames)
{
    switch (fuzz_take_below(frames->input, 10)) {
    case 0:
    case 1:
    case 2:
        append_message(frames, true);
        break;
    case 3:
    case 4:
        append_message(frames, false);
        break;
    case 5:
        append_control(frames, JZ_OPCODE_PING);
        break;
    case 6:
        append_control(frames, JZ_OPCODE_PONG);
        break;
    case 7:
        append_close(frames);
        break;
    case 8:
        append_raw_bytes(frames);
        break;
    default:
        add_action(frames);
    }
}

void frame_script_read(frame_script *frames)
{
    for (size_t i = 0; i < MAX_STEPS && frames->input->length > 0; i++) {
        if (frames->script->bytes.length + frames->expected_events.length > ENOUGH_BYTES)
            return;
        read_step(frames);
    }
}
