/* Compressed messages (RFC 7692 §6, §7.2): the RFC's examples, BFINAL, contexts, fragments, bombs and garbage. */
#include "compression.h"
#include "topics.h"

/* "Hello", compressed as in the examples of §7.2.3. */
#define HELLO "\xF2\x48\xCD\xC9\xC9\x07\x00"
#define HELLO_AGAIN "\xF2\x00\x11\x00\x00"           /* refers to the first, which is in the context */
#define HELLO_STORED "\x00\x05\x00\xFA\xFFHello\x00" /* not compressed */
#define HELLO_FINAL "\xF3\x48\xCD\xC9\xC9\x07\x00"   /* with BFINAL, without the byte that pads */
#define HELLO_IN_TWO_BLOCKS "\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"

#define COMPRESSED(literal)                                                                                            \
    {                                                                                                                  \
        .fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(literal)                          \
    }
#define COMPRESSED_START(literal)                                                                                      \
    {                                                                                                                  \
        .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(literal)                                       \
    }
#define COMPRESSED_BINARY(literal)                                                                                     \
    {                                                                                                                  \
        .fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_BINARY, .payload = BYTES(literal)                        \
    }

typedef struct form {
    const char *name;
    test_bytes payload;
    test_bytes message;
} form;

static const form forms[] = {
    {"one block", BYTES(HELLO), BYTES("Hello")},
    {"a stored block", BYTES(HELLO_STORED), BYTES("Hello")},
    {"a final block and the byte that pads", BYTES(HELLO_FINAL "\x00"), BYTES("Hello")},
    {"a final block without the byte that pads", BYTES(HELLO_FINAL), BYTES("Hello")},
    {"two blocks", BYTES(HELLO_IN_TWO_BLOCKS), BYTES("Hello")},
    {"a final block and another", BYTES(HELLO_FINAL HELLO), BYTES("HelloHello")},
    {"two final blocks", BYTES(HELLO_FINAL HELLO_FINAL "\x00"), BYTES("HelloHello")},
    {"an empty message", BYTES("\x00"), BYTES("")},
    {"an empty message as a block of fixed codes", BYTES("\x02\x00"), BYTES("")},
    {"an empty message as a final block", BYTES("\x03\x00\x00"), BYTES("")},
    {"empty blocks and then text", BYTES("\x00\x00\x00\xFF\xFF\x00\x00\x00\xFF\xFF" HELLO), BYTES("Hello")},
};

static const form broken[] = {
    {"nothing at all", BYTES(""), BYTES("")},
    {"text that is not compressed", BYTES("Hello, world"), BYTES("")},
    {"a block of the reserved type", BYTES("\x06\x00"), BYTES("")},
    {"a final block of the reserved type", BYTES("\x07\x00"), BYTES("")},
    {"bits that are all set", BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), BYTES("")},
    {"a stored block with a wrong check of its length", BYTES("\x00\x05\x00\xFA\xFEHello\x00"), BYTES("")},
    {"a stored block without the end of its text", BYTES("\x00\x05\x00\xFA\xFFHell"), BYTES("")},
    {"a block without its end", BYTES("\xF2\x48\xCD\xC9\xC9\x07"), BYTES("")},
    {"a reference to what was before the first message", BYTES(HELLO_AGAIN), BYTES("")},
    {"garbage behind a final block", BYTES(HELLO_FINAL "\x07"), BYTES("")},
    {"a header of zlib", BYTES("\x78\x9C" HELLO), BYTES("")},
};

/* Each form in one frame, and with each byte in a frame of its own and a ping before the last. */
static void add_form(topic *topic, const form *form, const char *mode, const session_deflate *deflate, bool is_broken)
{
    session_step steps[32 + 2];
    session_event events[] = {GOT_PING("?"), got(JZ_MESSAGE_BINARY, form->message)};
    session_row whole = {.name = topic_text(topic, "%s: %s", mode, form->name),
                         .steps = STEPS(peer_compressed(true, JZ_OPCODE_BINARY, form->payload)),
                         .events = {events + 1, 1},
                         .deflate = deflate};
    size_t count = 0;
    size_t length = form->payload.total;
    for (size_t i = 0; i < length; i++) {
        test_bytes byte = {form->payload.pattern + i, 1, 1};
        steps[count++] =
            i == 0 ? peer_compressed(false, JZ_OPCODE_BINARY, byte) : peer_frame(false, JZ_OPCODE_CONTINUATION, byte);
    }
    if (length == 0)
        steps[count++] = peer_compressed(false, JZ_OPCODE_BINARY, form->payload);
    steps[count++] = (session_step)PEER(PING("?"));
    steps[count++] = (session_step)PEER(LAST(""));
    session_row in_bytes = {.name = topic_text(topic, "%s: %s, in frames of a byte", mode, form->name),
                            .steps = {steps, count},
                            .events = {events, 2},
                            .deflate = deflate};
    if (is_broken) {
        whole.events.count = 0;
        in_bytes.events.count = 1;
        whole.failure = in_bytes.failure = JZ_FAILURE_INVALID_COMPRESSION;
        whole.failure_code = in_bytes.failure_code = 1007;
    }
    topic_add(topic, whole);
    topic_add(topic, in_bytes);
}

static const session_row rules[] = {
    {.name = "a context is taken over",
     .steps = STEPS(PEER(COMPRESSED(HELLO)), PEER(COMPRESSED(HELLO_AGAIN)), PEER(COMPRESSED(HELLO_AGAIN))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_TEXT("Hello"), GOT_TEXT("Hello")),
     .deflate = &dedicated_deflate},
    {.name = "a context is not taken over where that was agreed on",
     .steps = STEPS(PEER(COMPRESSED(HELLO)), PEER(COMPRESSED(HELLO_AGAIN))),
     .events = EVENTS(GOT_TEXT("Hello")),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_INVALID_COMPRESSION, 1007)},
    {.name = "a context goes on behind a final block",
     .steps = STEPS(PEER(COMPRESSED(HELLO_FINAL "\x00")), PEER(COMPRESSED(HELLO_AGAIN))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_TEXT("Hello")),
     .deflate = &dedicated_deflate},
    {.name = "a context goes on over uncompressed and control frames",
     .steps = STEPS(PEER(COMPRESSED(HELLO)), PEER(TEXT("plain")), PEER(PING("?")), PEER(BINARY_START("pl")),
                    PEER(LAST("ain")), PEER(COMPRESSED_BINARY(HELLO_AGAIN))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_TEXT("plain"), GOT_PING("?"), GOT_BINARY("plain"), GOT_BINARY("Hello")),
     .deflate = &dedicated_deflate},
    {.name = "a context goes on over an empty message",
     .steps = STEPS(PEER(COMPRESSED(HELLO)), PEER(COMPRESSED("\x00")), PEER(COMPRESSED(HELLO_AGAIN))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_TEXT(""), GOT_TEXT("Hello")),
     .deflate = &dedicated_deflate},
    {.name = "an uncompressed message first",
     .steps = STEPS(PEER(TEXT("plain")), PEER(COMPRESSED(HELLO)), PEER(TEXT("plain"))),
     .events = EVENTS(GOT_TEXT("plain"), GOT_TEXT("Hello"), GOT_TEXT("plain")),
     .deflate = &shared_deflate},
    {.name = "no compressed message at all",
     .steps = STEPS(PEER(TEXT("plain")), PEER(BINARY_START("pl")), PEER(LAST("ain"))),
     .events = EVENTS(GOT_TEXT("plain"), GOT_BINARY("plain")),
     .deflate = &shared_deflate},
    {.name = "a ping that looks compressed is not",
     .steps = STEPS(PEER(PING(HELLO)), PEER(COMPRESSED(HELLO)), PEER(PONG(HELLO))),
     .events = EVENTS(GOT_PING(HELLO), GOT_TEXT("Hello"), GOT_PONG(HELLO)),
     .deflate = &shared_deflate},
    {.name = "a message that looks compressed is not, without RSV1",
     .steps = STEPS(PEER(BINARY(HELLO))),
     .events = EVENTS(GOT_BINARY(HELLO)),
     .deflate = &shared_deflate},
    {.name = "the RFC's two fragments",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48\xCD")), PEER(LAST("\xC9\xC9\x07\x00"))),
     .events = EVENTS(GOT_TEXT("Hello")),
     .deflate = &shared_deflate},
    {.name = "control frames between compressed fragments",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48\xCD")), PEER(PING("1")), PEER(CONTINUATION("")), PEER(PONG("2")),
                    PEER(CONTINUATION("\xC9")), PEER(PING("3")), PEER(LAST("\xC9\x07\x00"))),
     .events = EVENTS(GOT_PING("1"), GOT_PONG("2"), GOT_PING("3"), GOT_TEXT("Hello")),
     .deflate = &dedicated_deflate},
    {.name = "an empty first fragment with RSV1",
     .steps = STEPS(PEER(COMPRESSED_START("")), PEER(CONTINUATION(HELLO)), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT("Hello")),
     .deflate = &shared_deflate},
    {.name = "a close between compressed fragments",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48")), PEER(CLOSE(1000, "bye")), PEER(LAST("\xCD"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "bye")),
     .deflate = &dedicated_deflate},
    {.name = "RSV1 on the second fragment too",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48\xCD")),
                    PEER({.fin = true,
                          .reserved = JZ_RSV1,
                          .opcode = JZ_OPCODE_CONTINUATION,
                          .payload = BYTES("\xC9\xC9\x07\x00")}),
                    PEER(PING("after"))),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_RESERVED_BITS, 1002)},
    {.name = "RSV1 on the second fragment alone",
     .steps =
         STEPS(PEER(TEXT_START("a")),
               PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_CONTINUATION, .payload = BYTES(HELLO)})),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_RESERVED_BITS, 1002)},
    {.name = "a compressed message within a compressed message",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48\xCD")), PEER(COMPRESSED(HELLO))),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_EXPECTED_CONTINUATION, 1002)},
    {.name = "a plain message within a compressed message",
     .steps = STEPS(PEER(COMPRESSED_START("\xF2\x48\xCD")), PEER(TEXT("plain"))),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_EXPECTED_CONTINUATION, 1002)},
    {.name = "a compressed message without an end",
     .steps = STEPS(PEER(COMPRESSED_START(HELLO)), PEER(PING("?"))),
     .events = EVENTS(GOT_PING("?")),
     .deflate = &shared_deflate,
     .ends_under_way = true},
    {.name = "a compressed text that is not UTF-8",
     .steps = STEPS(PEER(COMPRESSED("\x00\x03\x00\xFC\xFF\xED\xA0\x80\x00"))),
     .deflate = &shared_deflate,
     FAILS(JZ_FAILURE_INVALID_UTF8, 1007)},
    {.name = "a compressed text that ends within a character",
     .steps = STEPS(PEER(COMPRESSED("\x00\x02\x00\xFD\xFF\xE2\x82\x00"))),
     .deflate = &dedicated_deflate,
     FAILS(JZ_FAILURE_INVALID_UTF8, 1007)},
    {.name = "compressed binary need not be UTF-8",
     .steps = STEPS(PEER(COMPRESSED_BINARY("\x00\x03\x00\xFC\xFF\xED\xA0\x80\x00"))),
     .events = EVENTS(GOT_BINARY("\xED\xA0\x80")),
     .deflate = &shared_deflate},
    {.name = "a character that compressed fragments cut",
     .steps = STEPS(PEER(COMPRESSED_START("\x00\x03\x00\xFC\xFF\xE2")), PEER(LAST("\x82\xAC\x00"))),
     .events = EVENTS(GOT_TEXT("\xE2\x82\xAC")),
     .deflate = &shared_deflate},
    {.name = "RSV1 without compression",
     .steps = STEPS(PEER(COMPRESSED(HELLO))),
     FAILS(JZ_FAILURE_RESERVED_BITS, 1002)},
};

static const struct {
    const char *name;
    deflate_offer offer;
    const session_deflate *deflate;
} modes[] = {
    {"shared", {.mode = JZ_DEFLATE_SHARED}, &shared_deflate},
    {"dedicated", {.mode = JZ_DEFLATE_DEDICATED}, &dedicated_deflate},
};

static test_bytes compress_once(topic *topic, size_t mode, test_bytes message)
{
    z_stream compressor;
    client_compressor_start(&compressor, &modes[mode].offer);
    test_bytes compressed = client_compress(topic, &compressor, &modes[mode].offer, message);
    deflateEnd(&compressor);
    return compressed;
}

/* The inflated size counts; an incompressible message may be longer on the wire. */
static void add_around_limit(topic *topic, size_t mode, size_t limit)
{
    const test_bytes messages[] = {make_text(topic, limit, 1), make_noise(topic, limit, 2)};
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        const data_kind *kind = &data_kinds[i];
        test_bytes compressed = compress_once(topic, mode, messages[i]);
        topic_add(topic, (session_row){.name = topic_text(topic, "%s: compressed %s as large as the limit of %zu bytes",
                                                          modes[mode].name, kind->name, limit),
                                       .steps = STEPS(peer_compressed(true, kind->opcode, compressed)),
                                       .events = EVENTS(got_and_sent_back(kind->kind, messages[i])),
                                       .deflate = modes[mode].deflate,
                                       .max_message_size = limit,
                                       .is_large = limit > 4096});
    }
    test_bytes beyond = compress_once(topic, mode, make_text(topic, limit + 1, 3));
    topic_add(topic, (session_row){.name = topic_text(topic, "%s: compressed text of a byte more than the limit of %zu",
                                                      modes[mode].name, limit),
                                   .steps = STEPS(PEER(TEXT("before")), peer_compressed(true, JZ_OPCODE_TEXT, beyond),
                                                  PEER(PING("after"))),
                                   .events = EVENTS(GOT_TEXT("before")),
                                   .deflate = modes[mode].deflate,
                                   .max_message_size = limit,
                                   .is_large = limit > 4096,
                                   FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
}

/* Few bytes that inflate to very many: refused, whole and in fragments. */
static void add_bomb(topic *topic, size_t mode, size_t size, size_t limit)
{
    test_bytes zeros = REPEATED("\0\0\0\0\0\0\0\0", size);
    test_bytes bomb = compress_once(topic, mode, zeros);
    test_bytes first = {bomb.pattern, bomb.total / 2, bomb.total / 2};
    test_bytes second = {bomb.pattern + first.total, bomb.total - first.total, bomb.total - first.total};
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s: %zu bytes that inflate to %zu MiB, with a limit of %zu",
                                               modes[mode].name, bomb.total, size >> 20, limit),
                            .steps = STEPS(peer_compressed(true, JZ_OPCODE_BINARY, bomb), PEER(PING("after"))),
                            .deflate = modes[mode].deflate,
                            .max_message_size = limit,
                            .is_large = true,
                            FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s: fragments that inflate to %zu MiB, with a limit of %zu",
                                               modes[mode].name, size >> 20, limit),
                            .steps = STEPS(peer_compressed(false, JZ_OPCODE_TEXT, first), PEER(PING("?")),
                                           peer_frame(true, JZ_OPCODE_CONTINUATION, second)),
                            .events = EVENTS(GOT_PING("?")),
                            .deflate = modes[mode].deflate,
                            .max_message_size = limit,
                            .is_large = true,
                            FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
}

/* Whether plain zlib finds these bytes impossible. */
static bool does_not_inflate(test_bytes bytes)
{
    uint8_t output[1 << 16];
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)bytes.pattern,
                       .avail_in = (uInt)bytes.total,
                       .next_out = output,
                       .avail_out = sizeof output};
    assert_int_equal(inflateInit2(&stream, -15), Z_OK);
    int result = inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return result == Z_DATA_ERROR;
}

static void add_garbage(topic *topic)
{
    size_t count = 0;
    for (uint64_t seed = 1; count < 20; seed++) {
        test_bytes noise = make_noise(topic, 100, seed);
        if (!does_not_inflate(noise))
            continue;
        size_t mode = count++ % 2;
        topic_add(topic,
                  (session_row){.name = topic_text(topic, "%s: garbage %zu", modes[mode].name, count),
                                .steps = STEPS(PEER(COMPRESSED(HELLO)), peer_compressed(true, JZ_OPCODE_TEXT, noise),
                                               PEER(TEXT("after"))),
                                .events = EVENTS(GOT_TEXT("Hello")),
                                .deflate = modes[mode].deflate,
                                FAILS_WITH(JZ_FAILURE_INVALID_COMPRESSION)});
    }
}

void add_compression_rule_rows(topic *topic)
{
    for (size_t mode = 0; mode < COUNT_OF(modes); mode++) {
        static const size_t limits[] = {100, 1000, 65536, 1 << 20};
        for (size_t i = 0; i < COUNT_OF(forms); i++)
            add_form(topic, &forms[i], modes[mode].name, modes[mode].deflate, false);
        for (size_t i = 0; i < COUNT_OF(broken); i++)
            add_form(topic, &broken[i], modes[mode].name, modes[mode].deflate, true);
        for (size_t i = 0; i < COUNT_OF(limits); i++)
            add_around_limit(topic, mode, limits[i]);
        add_bomb(topic, mode, 1 << 20, 1000);
        add_bomb(topic, mode, 16 << 20, 1 << 20);
    }
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        topic_add(topic, rules[i]);
    add_garbage(topic);
}
