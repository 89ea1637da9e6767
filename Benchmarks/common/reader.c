#include "reader.h"
#include "session/outgoing.h"

#include <stdio.h>
#include <stdlib.h>

#include "session/upgrade.h"

enum { MAX_MESSAGE_SIZE = 1024 * 1024 };

static volatile uint8_t seen;

static void look(reader *reader, const jz_message *message)
{
    (void)reader;
    seen = message->bytes[0];
}

static void echo(reader *reader, const jz_message *message)
{
    jz_session_send(&reader->session, message->kind, message->bytes, message->length, &reader->output);
}

void reader_open(reader *reader, reader_handler handler, bool compresses)
{
    static const jz_deflate_agreement agreement = {.is_agreed = true,
                                                   .server_no_context_takeover = true,
                                                   .client_no_context_takeover = true,
                                                   .server_max_window_bits = 15,
                                                   .client_max_window_bits = 15};
    reader->handler = handler == READER_ECHOES ? echo : look;
    reader->output = (jz_buffer){0};
    reader->workspace = (jz_compression_workspace){0};
    reader->settings = (jz_session_settings){.max_message_size = MAX_MESSAGE_SIZE,
                                             .deflate = jz_route_options_default().deflate,
                                             .workspace = &reader->workspace};
    reader->settings.deflate.mode = JZ_DEFLATE_SHARED;
    jz_session_init(&reader->session, &reader->settings);
    if (compresses)
        jz_session_use_deflate(&reader->session, &agreement);
}

void reader_close(reader *reader)
{
    jz_session_free(&reader->session);
    jz_compression_workspace_free(&reader->workspace);
    jz_buffer_free(&reader->output);
}

size_t reader_read(reader *reader, uint8_t *bytes, size_t length)
{
    jz_input input = {bytes, length};
    jz_event event;
    jz_message message;
    size_t messages = 0;
    while (jz_session_next(&reader->session, &input, &reader->output, &event, &message)) {
        messages += event.type == JZ_EVENT_MESSAGE;
        reader->handler(reader, &message);
    }
    reader->output.length = 0;
    return messages;
}

void reader_check(reader *reader, uint8_t *bytes, size_t length, size_t messages)
{
    /* Twice: after that the payloads are as they were, see client_frame.h. */
    for (int i = 0; i < 2; i++) {
        size_t came = reader_read(reader, bytes, length);
        bool is_answered = reader->handler == look || reader->output.bytes != NULL;
        if (came == messages && is_answered && jz_session_is_open(&reader->session))
            continue;
        fprintf(stderr,
                "%zu messages came of %zu, or the session failed: `make test-c` tells whether the core is broken\n",
                came, messages);
        exit(2);
    }
}

int reader_shake_hands(reader *reader, const char *request, size_t length)
{
    static const jz_head_limits limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};
    jz_request_head head;
    size_t scanned = 0;
    size_t head_length = 0;
    if (jz_request_head_find_end(request, length, &limits, &scanned, &head_length) != JZ_HEAD_COMPLETE ||
        jz_request_head_parse(request, head_length, &limits, &head) != JZ_HEAD_COMPLETE ||
        !jz_upgrade_is_requested(&head))
        return 400;
    jz_upgrade upgrade = jz_upgrade_judge(&head, &reader->settings.deflate);
    if (upgrade.status == 101 && !jz_upgrade_append_response(&upgrade, &reader->output))
        return 500;
    reader->output.length = 0;
    return upgrade.status;
}
