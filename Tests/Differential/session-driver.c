/*
 * Leads byte streams from standard input through sessions, and prints what each comes to: a line of JSON for each
 * event, then one for the bytes that the session sends. Text and binary messages are echoed. Bytes are printed in
 * hexadecimal.
 *
 * A case, numbers big-endian:
 *
 *     4 bytes   max_message_size
 *     5 bytes   whether there is compression, client_no_context_takeover, server_no_context_takeover,
 *               client_max_window_bits, server_max_window_bits
 *     4 bytes   the number of the feed before which this side closes with code 1000
 *     4 bytes   how many feeds there are; then for each
 *         4 bytes   its length, and the bytes
 */
#include <stdio.h>
#include <stdlib.h>

#include "session/session.h"
#include "session/outgoing.h"

typedef struct stream_case {
    unsigned number;
    jz_session_settings settings;
    jz_deflate_agreement agreement;
    uint32_t close_before;
    uint32_t feed_count;
} stream_case;

static const char *const failure_names[] = {
    [JZ_FAILURE_NONE] = "none",
    [JZ_FAILURE_RESERVED_BITS] = "reserved bits",
    [JZ_FAILURE_RESERVED_OPCODE] = "reserved opcode",
    [JZ_FAILURE_NOT_MASKED] = "not masked",
    [JZ_FAILURE_LENGTH_NOT_MINIMAL] = "length not minimal",
    [JZ_FAILURE_LENGTH_TOO_LARGE] = "length too large",
    [JZ_FAILURE_CONTROL_FRAGMENTED] = "control fragmented",
    [JZ_FAILURE_CONTROL_TOO_LONG] = "control too long",
    [JZ_FAILURE_UNEXPECTED_CONTINUATION] = "unexpected continuation",
    [JZ_FAILURE_EXPECTED_CONTINUATION] = "expected continuation",
    [JZ_FAILURE_INVALID_UTF8] = "invalid utf-8",
    [JZ_FAILURE_INVALID_CLOSE_LENGTH] = "invalid close length",
    [JZ_FAILURE_INVALID_CLOSE_CODE] = "invalid close code",
    [JZ_FAILURE_MESSAGE_TOO_BIG] = "message too big",
    [JZ_FAILURE_INVALID_COMPRESSION] = "invalid compression",
    [JZ_FAILURE_OUT_OF_MEMORY] = "out of memory",
    [JZ_FAILURE_TRANSPORT] = "transport",
};

static const char *const message_kinds[] = {
    [JZ_MESSAGE_TEXT] = "text", [JZ_MESSAGE_BINARY] = "binary", [JZ_MESSAGE_PING] = "ping", [JZ_MESSAGE_PONG] = "pong"};

static void fail(const char *what)
{
    fprintf(stderr, "session-driver: %s\n", what);
    exit(1);
}

static void read_exactly(void *destination, size_t length)
{
    if (fread(destination, 1, length, stdin) != length)
        fail("the input ended within a case");
}

static uint32_t read_number(void)
{
    uint8_t bytes[4];
    read_exactly(bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool has_more_input(void)
{
    int next = getchar();
    if (next != EOF)
        ungetc(next, stdin);
    return next != EOF;
}

static void read_case(stream_case *this_case, jz_compression_workspace *workspace)
{
    uint8_t deflate[5];
    this_case->settings.max_message_size = read_number();
    read_exactly(deflate, sizeof deflate);
    this_case->agreement = (jz_deflate_agreement){.is_agreed = deflate[0] != 0,
                                                  .client_no_context_takeover = deflate[1] != 0,
                                                  .server_no_context_takeover = deflate[2] != 0,
                                                  .client_max_window_bits = deflate[3],
                                                  .server_max_window_bits = deflate[4]};
    this_case->settings.deflate = jz_route_options_default().deflate;
    this_case->settings.deflate.mode = JZ_DEFLATE_DEDICATED;
    this_case->settings.deflate.min_message_size = 0;
    this_case->settings.workspace = workspace;
    this_case->close_before = read_number();
    this_case->feed_count = read_number();
}

static void print_bytes(const char *field, const void *bytes, size_t length)
{
    printf(", \"%s\": \"", field);
    for (size_t i = 0; i < length; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
    putchar('"');
}

static void print_event(unsigned number, const jz_event *event, const jz_message *message)
{
    printf("{\"case\": %u, ", number);
    switch (event->type) {
    case JZ_EVENT_MESSAGE:
        printf("\"event\": \"%s\"", message_kinds[message->kind]);
        print_bytes("bytes", message->bytes, message->length);
        break;
    case JZ_EVENT_ERROR:
        printf("\"event\": \"error\", \"failure\": \"%s\"", failure_names[event->failure]);
        break;
    case JZ_EVENT_CLOSE:
        printf("\"event\": \"close\", \"code\": %u, \"clean\": %s", event->close_code,
               event->was_clean ? "true" : "false");
        print_bytes("reason", event->close_reason, event->close_reason_length);
        break;
    case JZ_EVENT_OPEN:
        fail("a session has no open event");
    }
    puts("}");
}

static void take_events(const stream_case *this_case, jz_session *session, jz_input input, jz_buffer *output)
{
    jz_event event;
    jz_message message;
    while (jz_session_next(session, &input, output, &event, &message)) {
        print_event(this_case->number, &event, &message);
        if (event.type == JZ_EVENT_MESSAGE && message.kind <= JZ_MESSAGE_BINARY)
            jz_session_send(session, message.kind, message.bytes, message.length, output);
    }
}

static void run_case(const stream_case *this_case)
{
    jz_session session;
    jz_buffer output = {0};
    jz_session_init(&session, &this_case->settings);
    if (this_case->agreement.is_agreed)
        jz_session_use_deflate(&session, &this_case->agreement);
    for (uint32_t i = 0; i < this_case->feed_count; i++) {
        if (i == this_case->close_before)
            jz_session_close(&session, JZ_CLOSE_NORMAL, "", 0, &output);
        /* Memory of just that size, so that the address sanitizer sees each byte too far. */
        size_t length = read_number();
        uint8_t *bytes = malloc(length);
        if (bytes == NULL || length == 0)
            fail("out of memory, or an empty feed");
        read_exactly(bytes, length);
        take_events(this_case, &session, (jz_input){bytes, length}, &output);
        free(bytes);
    }
    jz_session_end(&session, JZ_FAILURE_NONE);
    take_events(this_case, &session, (jz_input){0}, &output);
    printf("{\"case\": %u, \"event\": \"output\"", this_case->number);
    print_bytes("bytes", output.bytes, output.length);
    puts("}");
    jz_session_free(&session);
    jz_buffer_free(&output);
}

int main(void)
{
    jz_compression_workspace workspace = {0};
    for (stream_case this_case = {0}; has_more_input(); this_case.number++) {
        read_case(&this_case, &workspace);
        run_case(&this_case);
    }
    jz_compression_workspace_free(&workspace);
    return 0;
}
