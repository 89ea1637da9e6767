/* The example of session/session.h with a session whose client has sent a message: it is echoed to standard output. */
#include <stdio.h>

#include "session/outgoing.h"

static jz_session session;
static jz_buffer output;

static void handle(const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE)
        jz_session_send(&session, message->kind, message->bytes, message->length, &output);
}

static void send(jz_buffer bytes)
{
    fwrite(bytes.bytes, 1, bytes.length, stdout);
}

int main(void)
{
    /* RFC 6455 §5.7: a single-frame masked text message, "Hello". */
    uint8_t received[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    size_t count = sizeof received;
    const jz_session_settings settings = {.max_message_size = 100};
    jz_event event;
    jz_message message;
    jz_session_init(&session, &settings);
#include STATEMENTS
    jz_session_free(&session);
    jz_buffer_free(&output);
    return 0;
}
