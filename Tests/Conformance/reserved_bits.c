/* RSV1, RSV2 and RSV3 (RFC 6455 §5.2): every combination, on every sort of frame, with and without compression. */
#include "topics.h"

/* With compression RSV1 has a meaning, but only on the first frame of a message (RFC 7692 §6). */
static const session_deflate compression = {
    .offer = "permessage-deflate",
    .answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    .options = {.mode = JZ_DEFLATE_SHARED, .window_bits = 15, .memory_level = 8, .level = 6, .min_message_size = 64},
    .server_window_bits = 15,
    .server_no_context_takeover = true,
};

typedef struct frame_sort {
    const char *name;
    test_frame frame;
    bool continues;        /* it comes after a first fragment */
    bool begins_a_message; /* it may have RSV1 set where messages may be compressed */
} frame_sort;

static const frame_sort sorts[] = {
    {.name = "a text", .frame = TEXT("x"), .begins_a_message = true},
    {.name = "an empty text", .frame = TEXT(""), .begins_a_message = true},
    {.name = "a binary message", .frame = BINARY("x"), .begins_a_message = true},
    {.name = "a first fragment", .frame = TEXT_START("x"), .begins_a_message = true},
    {.name = "a middle fragment", .frame = CONTINUATION("x"), .continues = true},
    {.name = "a last fragment", .frame = LAST("x"), .continues = true},
    {.name = "an empty last fragment", .frame = LAST(""), .continues = true},
    {.name = "a ping", .frame = PING("x")},
    {.name = "a ping between fragments", .frame = PING("x"), .continues = true},
    {.name = "an empty ping", .frame = PING("")},
    {.name = "a pong", .frame = PONG("x")},
    {.name = "a close", .frame = CLOSE(1000, "")},
    {.name = "a close without a code", .frame = CLOSE_WITHOUT_CODE},
};

static void add_row(topic *topic, const frame_sort *sort, uint8_t reserved, const session_deflate *deflate)
{
    test_frame frame = sort->frame;
    frame.reserved = reserved;
    static const char *const bits[] = {"",     "RSV3",          "RSV2",          "RSV2 and RSV3",
                                       "RSV1", "RSV1 and RSV3", "RSV1 and RSV2", "RSV1, RSV2 and RSV3"};
    session_step steps[5] = {PEER(TEXT("before"))};
    size_t count = 1;
    if (sort->continues)
        steps[count++] = (session_step)PEER(TEXT_START("a"));
    steps[count++] = (session_step)PEER(frame);
    steps[count++] = (session_step)PEER(PING("after"));
    steps[count++] = (session_step)PEER(TEXT("after"));
    topic_add(topic, (session_row){.name = topic_text(topic, "%s on %s%s", bits[reserved], sort->name,
                                                      deflate != NULL ? ", with compression" : ""),
                                   .steps = {steps, count},
                                   .events = EVENTS(GOT_TEXT("before")),
                                   .deflate = deflate,
                                   FAILS_WITH(JZ_FAILURE_RESERVED_BITS)});
}

void add_reserved_bit_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(sorts); i++) {
        for (uint8_t reserved = 1; reserved <= 7; reserved++) {
            add_row(topic, &sorts[i], reserved, NULL);
            if (reserved != JZ_RSV1 || !sorts[i].begins_a_message)
                add_row(topic, &sorts[i], reserved, &compression);
        }
    }
}
