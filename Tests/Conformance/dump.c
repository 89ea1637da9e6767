#include "dump.h"

#include <inttypes.h>
#include <stdio.h>

#include "../CJazzyPollTests/support/sent_frames.h"

enum { DEFAULT_MAX_MESSAGE_SIZE = 1 << 20 };

static void print_text(const char *text)
{
    if (text == NULL) {
        printf("null");
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if (*text == '\t')
            printf("\\t");
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_hex(const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        putchar(digits[bytes[i] >> 4]);
        putchar(digits[bytes[i] & 15]);
    }
    putchar('"');
}

/* The bytes before the pattern are a close frame's code. */
static void print_payload(const test_frame *frame)
{
    const test_bytes *payload = &frame->payload;
    printf("\"payload\": [");
    if (frame->close_code != 0) {
        jz_buffer whole = {0};
        const uint8_t code[] = {(uint8_t)(frame->close_code >> 8), (uint8_t)frame->close_code};
        assert_true(jz_buffer_append(&whole, code, sizeof code));
        test_bytes_append(&whole, *payload);
        print_hex(whole.bytes, whole.length);
        printf(", %zu]", whole.length);
        jz_buffer_free(&whole);
        return;
    }
    size_t length = payload->pattern_length < payload->total ? payload->pattern_length : payload->total;
    print_hex((const uint8_t *)payload->pattern, length);
    printf(", %zu]", payload->total);
}

static void print_mask(const test_frame *frame)
{
    printf(", \"mask\": ");
    if (frame->masking == MASKED_WITH_ITS_KEY)
        print_hex(frame->key, 4);
    else
        printf("%s", frame->masking == NEVER_MASKED ? "false" : "true");
}

static void print_received(const test_frame *frame)
{
    static const char *const forms[] = {
        [SHORTEST_LENGTH] = "null", [LENGTH_OF_16_BITS] = "16", [LENGTH_OF_64_BITS] = "64"};
    if (frame->is_raw) {
        printf("{\"raw\": ");
        print_hex((const uint8_t *)frame->payload.pattern, frame->payload.total);
        putchar('}');
        return;
    }
    printf("{\"fin\": %s, \"reserved\": %u, \"opcode\": %u", frame->fin ? "true" : "false", frame->reserved,
           frame->opcode);
    print_mask(frame);
    printf(", \"length_bits\": %s, \"claims\": ", forms[frame->length_form]);
    if (frame->claimed_length != 0)
        printf("%" PRIu64 ", ", frame->claimed_length);
    else
        printf("null, ");
    print_payload(frame);
    putchar('}');
}

static void print_due(const test_frame *frame)
{
    if (frame->opcode == JZ_OPCODE_CLOSE && frame->close_code == 0) {
        printf("{\"close\": null}");
    } else if (frame->opcode == JZ_OPCODE_CLOSE) {
        printf("{\"close\": %u}", frame->close_code);
    } else {
        printf("{\"opcode\": %u, \"is_compressed\": %s, ", frame->opcode, frame->reserved != 0 ? "true" : "false");
        print_payload(frame);
        putchar('}');
    }
}

static void print_settings(const session_row *row)
{
    static const char *const modes[] = {
        [JZ_DEFLATE_OFF] = "off", [JZ_DEFLATE_SHARED] = "shared", [JZ_DEFLATE_DEDICATED] = "dedicated"};
    const session_deflate none = {.options = {.mode = JZ_DEFLATE_OFF}, .server_window_bits = 15};
    const session_deflate *deflate = row->deflate != NULL ? row->deflate : &none;
    printf(", \"offer\": ");
    print_text(deflate->offer);
    printf(", \"answer\": ");
    print_text(deflate->answer);
    printf(", \"mode\": \"%s\", \"server_window_bits\": %u, \"server_no_context_takeover\": %s",
           modes[deflate->options.mode], deflate->server_window_bits,
           deflate->server_no_context_takeover ? "true" : "false");
    printf(", \"max_message_size\": %zu",
           row->max_message_size != 0 ? row->max_message_size : (size_t)DEFAULT_MAX_MESSAGE_SIZE);
}

/* Excludes rows in which the server itself acts, and rows with options for which the echo servers have no flag. */
static bool can_be_played(const session_row *row)
{
    if (!row->echoes)
        return false;
    for (size_t i = 0; i < row->steps.count; i++) {
        if (row->steps.first[i].type != STEP_PEER_SENDS)
            return false;
    }
    const jz_deflate_options defaults = jz_route_options_default().deflate;
    const jz_deflate_options *options = row->deflate != NULL ? &row->deflate->options : &defaults;
    return options->window_bits == defaults.window_bits && options->min_message_size == defaults.min_message_size;
}

static void dump_row(const topic *topic, const session_row *row)
{
    printf("{\"file\": ");
    print_text(topic->file);
    printf(", \"row\": ");
    print_text(row->name);
    print_settings(row);
    printf(", \"frames\": [");
    for (size_t i = 0; i < row->steps.count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_received(&row->steps.first[i].frame);
    }
    printf("], \"answers\": [");
    due_frames due = due_frames_of(row);
    for (size_t i = 0; i < due.count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_due(&due.first[i]);
    }
    printf("], \"fails\": %s}\n", row->failure != JZ_FAILURE_NONE ? "true" : "false");
    due_frames_free(&due);
}

void dump_rows(const topic *topic)
{
    for (size_t i = 0; i < topic->row_count; i++) {
        if (can_be_played(&topic->rows[i]))
            dump_row(topic, &topic->rows[i]);
    }
}
