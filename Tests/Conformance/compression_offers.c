/*
 * A client's offers of permessage-deflate (RFC 7692 §7.1, RFC 6455 §9.1): which is accepted, with which answer, and
 * that messages are then compressed as agreed, or not at all.
 */
#include "compression.h"
#include "topics.h"

#define PMD "permessage-deflate"
#define SERVER_BITS "; server_max_window_bits"
#define CLIENT_BITS "; client_max_window_bits"
#define SERVER_NO "; server_no_context_takeover"
#define CLIENT_NO "; client_no_context_takeover"
#define NO_CONTEXT SERVER_NO CLIENT_NO

typedef struct offer {
    const char *text;
    const char *answer;         /* of a server that keeps contexts; NULL: every offer is declined */
    uint8_t server_window_bits; /* that are promised; 0: 15 */
    bool server_no_context_takeover;
} offer;

static const offer offers[] = {
    {.text = PMD, .answer = PMD},
    {.text = PMD SERVER_NO, .answer = PMD SERVER_NO, .server_no_context_takeover = true},
    {.text = PMD CLIENT_NO, .answer = PMD CLIENT_NO},
    {.text = PMD CLIENT_NO SERVER_NO, .answer = PMD NO_CONTEXT, .server_no_context_takeover = true},
    {.text = PMD CLIENT_BITS, .answer = PMD},
    {.text = PMD CLIENT_BITS "=15", .answer = PMD},
    {.text = PMD CLIENT_BITS "=8", .answer = PMD CLIENT_BITS "=8"},
    {.text = PMD CLIENT_BITS "=\"10\"", .answer = PMD CLIENT_BITS "=10"},
    {.text = PMD SERVER_BITS "=15", .answer = PMD SERVER_BITS "=15"},
    {.text = PMD SERVER_BITS "=9", .answer = PMD SERVER_BITS "=9", .server_window_bits = 9},
    {.text = PMD SERVER_BITS "=\"12\"", .answer = PMD SERVER_BITS "=12", .server_window_bits = 12},
    {.text = PMD CLIENT_BITS "=9" SERVER_BITS "=10" CLIENT_NO SERVER_NO,
     .answer = PMD NO_CONTEXT SERVER_BITS "=10" CLIENT_BITS "=9",
     .server_window_bits = 10,
     .server_no_context_takeover = true},
    /* Written with more or less white space, and among empty elements. */
    {.text = PMD ";client_max_window_bits;server_no_context_takeover",
     .answer = PMD SERVER_NO,
     .server_no_context_takeover = true},
    {.text = "\t" PMD " \t;  client_max_window_bits \t", .answer = PMD},
    {.text = ", ," PMD ", ,", .answer = PMD},
    /* Values that are not legal. */
    {.text = PMD SERVER_BITS},
    {.text = PMD SERVER_BITS "="},
    {.text = PMD SERVER_BITS "=0"},
    {.text = PMD SERVER_BITS "=7"},
    {.text = PMD SERVER_BITS "=16"},
    {.text = PMD SERVER_BITS "=010"},
    {.text = PMD SERVER_BITS "=1000000000000000000000000000010"},
    {.text = PMD SERVER_BITS "=+9"},
    {.text = PMD SERVER_BITS "=9.0"},
    {.text = PMD SERVER_BITS "=x"},
    {.text = PMD SERVER_BITS "=\"\""},
    {.text = PMD SERVER_BITS "=\" 9\""},
    {.text = PMD CLIENT_BITS "="},
    {.text = PMD CLIENT_BITS "=0"},
    {.text = PMD CLIENT_BITS "=7"},
    {.text = PMD CLIENT_BITS "=16"},
    {.text = PMD CLIENT_BITS "=015"},
    {.text = PMD CLIENT_BITS "=\"\""},
    {.text = PMD SERVER_NO "=1"},
    {.text = PMD SERVER_NO "=\"true\""},
    {.text = PMD CLIENT_NO "=0"},
    /* Repeated and unknown parameters. */
    {.text = PMD SERVER_NO SERVER_NO},
    {.text = PMD CLIENT_NO CLIENT_NO},
    {.text = PMD SERVER_BITS "=10" SERVER_BITS "=10"},
    {.text = PMD CLIENT_BITS CLIENT_BITS "=10"},
    {.text = PMD "; no_context_takeover"},
    {.text = PMD "; max_window_bits=10"},
    {.text = PMD "; x"},
    /* zlib cannot keep the promise of a window of 8 bits. */
    {.text = PMD SERVER_BITS "=8"},
    /* Other extensions. */
    {.text = ""},
    {.text = "x-webkit-deflate-frame"},
    {.text = "permessage-bzip2; client_max_window_bits"},
    {.text = "x; y=\"" PMD ", " PMD "\""},
    /* Several offers: the first that can be kept. */
    {.text = PMD SERVER_NO ", " PMD, .answer = PMD SERVER_NO, .server_no_context_takeover = true},
    {.text = PMD ", " PMD SERVER_NO, .answer = PMD},
    {.text = "foo, " PMD CLIENT_NO, .answer = PMD CLIENT_NO},
    {.text = PMD SERVER_BITS "=8, " PMD SERVER_BITS "=11, " PMD,
     .answer = PMD SERVER_BITS "=11",
     .server_window_bits = 11},
    {.text = PMD "; x, " PMD, .answer = PMD},
    {.text = PMD CLIENT_NO CLIENT_NO ", " PMD SERVER_BITS "=16, " PMD CLIENT_BITS "=12",
     .answer = PMD CLIENT_BITS "=12"},
    {.text = PMD SERVER_BITS "=, " PMD, .answer = PMD},
    {.text = PMD SERVER_BITS "=8, " PMD "; x"},
};

/* "Hello", with no reference farther back than any window. */
#define HELLO "\xF2\x48\xCD\xC9\xC9\x07\x00"

static void add_accepted(topic *topic, const char *name, const session_deflate *deflate)
{
    test_bytes text = make_text(topic, 2000, 7);
    topic_add(
        topic,
        (session_row){
            .name = name,
            .steps = STEPS(PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(HELLO)}),
                           PEER(TEXT_OF(text)), PEER(TEXT_OF(text))),
            .events = EVENTS(GOT_TEXT("Hello"), got_and_sent_back(JZ_MESSAGE_TEXT, text),
                             got_and_sent_back(JZ_MESSAGE_TEXT, text)),
            .deflate = deflate});
}

static void add_declined(topic *topic, const char *name, const session_deflate *deflate)
{
    test_bytes text = make_text(topic, 2000, 7);
    topic_add(
        topic,
        (session_row){
            .name = name,
            .steps = STEPS(PEER(TEXT_OF(text)),
                           PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(HELLO)})),
            .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, text)),
            .deflate = deflate,
            FAILS_WITH(JZ_FAILURE_RESERVED_BITS)});
}

static void add_offer(topic *topic, const offer *offer, jz_deflate_mode mode)
{
    static const char *const modes[] = {
        [JZ_DEFLATE_OFF] = "off", [JZ_DEFLATE_SHARED] = "shared", [JZ_DEFLATE_DEDICATED] = "dedicated"};
    session_deflate *deflate = topic_allocate(topic, sizeof *deflate);
    *deflate = mode == JZ_DEFLATE_SHARED ? shared_deflate : dedicated_deflate;
    deflate->options.mode = mode;
    deflate->offer = offer->text;
    if (mode != JZ_DEFLATE_SHARED) {
        deflate->answer = mode == JZ_DEFLATE_OFF ? NULL : offer->answer;
        deflate->server_window_bits = offer->server_window_bits != 0 ? offer->server_window_bits : 15;
        deflate->server_no_context_takeover = offer->server_no_context_takeover;
    } else if (offer->answer == NULL) {
        deflate->answer = NULL;
    }
    const char *name = topic_text(topic, "%s: '%s'", modes[mode], offer->text);
    if (deflate->answer != NULL)
        add_accepted(topic, name, deflate);
    else
        add_declined(topic, name, deflate);
}

/* A route with its own window size, which is promised for any offer. */
static void add_window_of_the_route(topic *topic, uint8_t window_bits)
{
    session_deflate *deflate = topic_allocate(topic, sizeof *deflate);
    *deflate = dedicated_deflate;
    deflate->options.window_bits = window_bits;
    deflate->server_window_bits = window_bits;
    deflate->answer = topic_text(topic, PMD SERVER_BITS "=%u", window_bits);
    add_accepted(topic, topic_text(topic, "a route of %u window bits: '" PMD "'", window_bits), deflate);

    session_deflate *limited = topic_allocate(topic, sizeof *limited);
    *limited = *deflate;
    limited->offer = PMD CLIENT_BITS;
    limited->answer = topic_text(topic, PMD SERVER_BITS "=%u" CLIENT_BITS "=%u", window_bits, window_bits);
    add_accepted(topic, topic_text(topic, "a route of %u window bits: '" PMD CLIENT_BITS "'", window_bits), limited);
}

void add_compression_offer_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(offers); i++)
        add_offer(topic, &offers[i], JZ_DEFLATE_DEDICATED);
    add_offer(topic, &offers[0], JZ_DEFLATE_OFF);
    add_offer(topic, &offers[1], JZ_DEFLATE_OFF);
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        if (offers[i].answer == NULL || strcmp(offers[i].answer, PMD) == 0)
            add_offer(topic, &offers[i], JZ_DEFLATE_SHARED);
    }
    for (uint8_t window_bits = 9; window_bits < 15; window_bits++)
        add_window_of_the_route(topic, window_bits);
}
