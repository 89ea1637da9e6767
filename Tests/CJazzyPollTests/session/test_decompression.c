/* Messages that a client compressed. */
#include "session/compression.h"
#include "session/decompressor.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/frame.h"
#include "support/testing.h"
#include "support/zlib_peer.h"

enum { LIMIT = 1 << 20 };

/* A loop's workspace, and the decompressor of one connection. */
typedef struct fixture {
    jz_compression_workspace workspace;
    jz_decompressor *own;
} fixture;

typedef enum kind { SHARED, DEDICATED } kind;

static jz_failure decompress(fixture *f, kind kind, const void *payload, size_t length, size_t limit)
{
    return jz_decompress(&f->workspace, kind == DEDICATED ? &f->own : NULL, 15, payload, length, limit);
}

static void finish(fixture *f)
{
    jz_decompressor_free(f->own);
    jz_compression_workspace_free(&f->workspace);
}

static void expect_message(fixture *f, kind kind, const char *name, test_bytes payload, test_bytes message)
{
    jz_failure failure = decompress(f, kind, payload.pattern, payload.total, LIMIT);
    assert_that(failure == JZ_FAILURE_NONE, "%s: %s", name, jz_failure_text(failure));
    const jz_buffer *text = &f->workspace.decompressed;
    assert_that(text->length == message.total &&
                    (text->length == 0 || memcmp(text->bytes, message.pattern, text->length) == 0),
                "%s: '%.*s'", name, (int)text->length, (const char *)text->bytes);
}

#define HELLO "\xF2\x48\xCD\xC9\xC9\x07\x00"
#define FINAL_HELLO "\xF3\x48\xCD\xC9\xC9\x07\x00"

static const struct {
    const char *name;
    test_bytes payload;
    test_bytes message;
} messages[] = {
    {"RFC 7692 §7.2.3.1, one block", BYTES(HELLO), BYTES("Hello")},
    {"RFC 7692 §7.2.3.3, no compression", BYTES("\x00\x05\x00\xFA\xFFHello\x00"), BYTES("Hello")},
    {"RFC 7692 §7.2.3.4, BFINAL, and the padding byte", BYTES(FINAL_HELLO "\x00"), BYTES("Hello")},
    {"RFC 7692 §7.2.3.5, two blocks", BYTES("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"), BYTES("Hello")},
    {"RFC 7692 §7.2.3.6, an empty message", BYTES("\x00"), BYTES("")},
    {"BFINAL without the padding byte", BYTES(FINAL_HELLO), BYTES("Hello")},
    {"an empty block of fixed codes", BYTES("\x02\x00"), BYTES("")},
    {"an empty block of fixed codes with BFINAL", BYTES("\x03\x00"), BYTES("")},
    {"an empty block of fixed codes with BFINAL, and the padding byte", BYTES("\x03\x00\x00"), BYTES("")},
    {"an empty uncompressed block with BFINAL", BYTES("\x01\x00\x00\xFF\xFF"), BYTES("")},
    {"an uncompressed block with BFINAL", BYTES("\x01\x05\x00\xFA\xFFHello"), BYTES("Hello")},
    {"a block after one with BFINAL", BYTES(FINAL_HELLO HELLO), BYTES("HelloHello")},
    {"two blocks with BFINAL", BYTES(FINAL_HELLO FINAL_HELLO), BYTES("HelloHello")},
    {"two blocks with BFINAL, and the padding byte", BYTES(FINAL_HELLO FINAL_HELLO "\x00"), BYTES("HelloHello")},
    {"a block after an empty one with BFINAL", BYTES("\x03\x00" HELLO), BYTES("Hello")},
    {"a block after one with BFINAL refers to it", BYTES(FINAL_HELLO "\xF2\x00\x11\x00\x00"), BYTES("HelloHello")},
    {"many empty blocks", BYTES("\x00\x00\x00\xFF\xFF\x00\x00\x00\xFF\xFF\x00\x00\x00\xFF\xFF" HELLO), BYTES("Hello")},
};

static void every_form_of_a_message_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        for (kind kind = SHARED; kind <= DEDICATED; kind++) {
            fixture f = {0};
            expect_message(&f, kind, messages[i].name, messages[i].payload, messages[i].message);
            finish(&f);
        }
    }
}

static void messages_may_come_in_every_form_one_after_the_other(void **state)
{
    (void)state;
    for (kind kind = SHARED; kind <= DEDICATED; kind++) {
        fixture f = {0};
        for (size_t i = 0; i < COUNT_OF(messages) * COUNT_OF(messages); i++) {
            size_t row = i % 2 == 0 ? i / 2 / COUNT_OF(messages) : i % COUNT_OF(messages);
            expect_message(&f, kind, messages[row].name, messages[row].payload, messages[row].message);
        }
        finish(&f);
    }
}

#define SAME_AGAIN "\xF2\x00\x11\x00\x00" /* RFC 7692 §7.2.3.2 */

static void a_message_may_refer_to_earlier_ones_where_contexts_are_taken_over(void **state)
{
    (void)state;
    static const test_bytes first[] = {BYTES(HELLO), BYTES(FINAL_HELLO), BYTES(FINAL_HELLO "\x00"),
                                       BYTES("\x01\x05\x00\xFA\xFFHello")};
    for (size_t i = 0; i < COUNT_OF(first); i++) {
        fixture f = {0};
        expect_message(&f, DEDICATED, "first", first[i], (test_bytes)BYTES("Hello"));
        for (int j = 0; j < 3; j++) {
            expect_message(&f, DEDICATED, "again", (test_bytes)BYTES(SAME_AGAIN), (test_bytes)BYTES("Hello"));
            expect_message(&f, DEDICATED, "empty", (test_bytes)BYTES("\x00"), (test_bytes)BYTES(""));
        }
        expect_message(&f, SHARED, "first", first[i], (test_bytes)BYTES("Hello"));
        assert_int_equal(decompress(&f, SHARED, SAME_AGAIN, 5, LIMIT), JZ_FAILURE_INVALID_COMPRESSION);
        finish(&f);
    }
}

static const struct {
    const char *name;
    test_bytes payload;
} invalid[] = {
    {"nothing at all", BYTES("")},
    {"the end of the block is missing", BYTES("\xF2\x48\xCD\xC9\xC9\x07")},
    {"the end of the text is missing", BYTES("\xF2\x48\xCD")},
    {"the first byte alone", BYTES("\xF2")},
    {"an uncompressed block without its text", BYTES("\x00\x05\x00\xFA\xFF")},
    {"an uncompressed block without the end of its text", BYTES("\x00\x05\x00\xFA\xFFHell")},
    {"an uncompressed block that does not say how long it is", BYTES("\x00\x05")},
    {"an uncompressed block with a wrong check of its length", BYTES("\x00\x05\x00\xFA\xFEHello\x00")},
    {"a block of the reserved type", BYTES("\x06\x00")},
    {"a block of the reserved type with BFINAL", BYTES("\x07\x00")},
    {"too many codes", BYTES("\xFC\xFF\xFF\xFF")},
    {"a reference to what was before the first message", BYTES(SAME_AGAIN)},
    {"text that is not compressed", BYTES("Hello, world")},
    {"a zlib header", BYTES("\x78\x9C\xF2\x48\xCD\xC9\xC9\x07\x00")},
    {"a gzip header", BYTES("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\xF2\x48\xCD\xC9\xC9\x07\x00")},
    {"garbage after a block with BFINAL", BYTES(FINAL_HELLO "\xFF")},
    {"all ones", BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
};

static void what_does_not_inflate_is_invalid(void **state)
{
    (void)state;
    fixture f = {0};
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        const test_bytes *payload = &invalid[i].payload;
        fixture other = {0};
        assert_that(decompress(&other, DEDICATED, payload->pattern, payload->total, LIMIT) ==
                        JZ_FAILURE_INVALID_COMPRESSION,
                    "%s: accepted", invalid[i].name);
        finish(&other);
        assert_that(decompress(&f, SHARED, payload->pattern, payload->total, LIMIT) == JZ_FAILURE_INVALID_COMPRESSION,
                    "%s: accepted", invalid[i].name);
        expect_message(&f, SHARED, "what others send is not touched", (test_bytes)BYTES(HELLO),
                       (test_bytes)BYTES("Hello"));
    }
    finish(&f);
}

static void what_zlib_compresses_is_read(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 125, 126, 4095, 4096, 4097, 32768, 65536, 300000};
    test_random random = {.state = 1};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    for (int bits = 9; bits <= 15; bits++) {
        fixture f = {0};
        zlib_peer peers[2];
        zlib_peer_start(&peers[SHARED], bits, 15);
        zlib_peer_start(&peers[DEDICATED], bits, 15);
        for (size_t i = 0; i < COUNT_OF(lengths) * CONTENTS * 2; i++) {
            kind kind = i % 2 == 0 ? SHARED : DEDICATED;
            test_content_fill(&message, (test_content)(i / 2 % CONTENTS), lengths[i / 2 / CONTENTS], &random);
            payload.length = 0;
            if (kind == SHARED)
                zlib_peer_forget_compression(&peers[kind]);
            zlib_peer_compress(&peers[kind], message.bytes, message.length, &payload);
            jz_failure failure = jz_decompress(&f.workspace, kind == DEDICATED ? &f.own : NULL, (uint8_t)bits,
                                               payload.bytes, payload.length, LIMIT);
            assert_that(failure == JZ_FAILURE_NONE, "%zu bytes, %d window bits: %s", message.length, bits,
                        jz_failure_text(failure));
            assert_int_equal(f.workspace.decompressed.length, message.length);
            if (message.length > 0)
                assert_memory_equal(f.workspace.decompressed.bytes, message.bytes, message.length);
        }
        zlib_peer_finish(&peers[SHARED]);
        zlib_peer_finish(&peers[DEDICATED]);
        finish(&f);
    }
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

/* Appends a message that ends with BFINAL set, compressed with reference to all that was said before. */
static void compress_to_the_end(const jz_buffer *said, const jz_buffer *message, jz_buffer *payload)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (said->length > 0)
        assert_int_equal(deflateSetDictionary(&stream, said->bytes, (uInt)said->length), Z_OK);
    size_t room = deflateBound(&stream, message->length);
    assert_true(jz_buffer_reserve(payload, room, SIZE_MAX));
    stream.next_in = message->bytes;
    stream.avail_in = (uInt)message->length;
    stream.next_out = payload->bytes + payload->length;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    payload->length += room - stream.avail_out;
    deflateEnd(&stream);
}

static void the_window_goes_on_after_bfinal_however_full_it_is(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 100, 32768, 5, 20000, 20000, 70000, 1, 32767, 3};
    test_random random = {.state = 7};
    fixture f = {0};
    jz_buffer said = {0};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    for (size_t i = 0; i < 5 * COUNT_OF(lengths); i++) {
        test_content_fill(&message, LETTERS, lengths[i % COUNT_OF(lengths)], &random);
        payload.length = 0;
        compress_to_the_end(&said, &message, &payload);
        if (i % 3 == 0)
            assert_true(jz_buffer_append(&payload, "", 1)); /* the padding byte */
        assert_int_equal(decompress(&f, DEDICATED, payload.bytes, payload.length, LIMIT), JZ_FAILURE_NONE);
        assert_int_equal(f.workspace.decompressed.length, message.length);
        assert_memory_equal(f.workspace.decompressed.bytes, message.bytes, message.length);
        assert_true(jz_buffer_append(&said, message.bytes, message.length));
    }
    finish(&f);
    jz_buffer_free(&said);
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

/* A connection's own decompressor needs memory for the negotiated window. */
static void a_client_that_looks_back_further_than_it_agreed_to_is_refused(void **state)
{
    (void)state;
    test_random random = {.state = 2};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    test_content_fill(&message, NOISE, 1000, &random);
    zlib_peer peer;
    zlib_peer_start(&peer, 15, 15);
    fixture f = {0};
    zlib_peer_compress(&peer, message.bytes, message.length, &payload);
    assert_int_equal(jz_decompress(&f.workspace, &f.own, 9, payload.bytes, payload.length, LIMIT), JZ_FAILURE_NONE);
    payload.length = 0;
    zlib_peer_compress(&peer, message.bytes, message.length, &payload);
    assert_int_equal(jz_decompress(&f.workspace, &f.own, 9, payload.bytes, payload.length, LIMIT),
                     JZ_FAILURE_INVALID_COMPRESSION);
    finish(&f);
    zlib_peer_finish(&peer);
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

static void garbage_does_no_harm(void **state)
{
    (void)state;
    test_random random = {.state = 4};
    fixture f = {0};
    uint8_t payload[200];
    for (int i = 0; i < 20000; i++) {
        size_t length = test_random_below(&random, sizeof payload);
        for (size_t j = 0; j < length; j++)
            payload[j] = (uint8_t)test_random_next(&random);
        kind kind = i % 2 == 0 ? SHARED : DEDICATED;
        jz_failure failure = decompress(&f, kind, payload, length, 4000);
        assert_true(failure == JZ_FAILURE_NONE || failure == JZ_FAILURE_INVALID_COMPRESSION ||
                    failure == JZ_FAILURE_MESSAGE_TOO_BIG);
    }
    expect_message(&f, SHARED, "afterwards", (test_bytes)BYTES(HELLO), (test_bytes)BYTES("Hello"));
    finish(&f);
}

static void without_memory_a_message_fails_and_the_next_does_not(void **state)
{
    (void)state;
    /* The decompressor, zlib's state with its window, the message, and then none; ISA-L's state is its decompressor. */
#ifdef JZ_DEFLATE_ISAL
    enum { FEWEST_WHOLE = 3 };
#else
    enum { FEWEST_WHOLE = 4 };
#endif
    for (kind kind = SHARED; kind <= DEDICATED; kind++) {
        size_t refused = 0;
        for (jz_failure failure = JZ_FAILURE_OUT_OF_MEMORY; failure != JZ_FAILURE_NONE; refused++) {
            fixture f = {0};
            test_allocations_fail_after(refused);
            failure = decompress(&f, kind, FINAL_HELLO, 7, LIMIT);
            test_allocations_succeed();
            assert_true(failure == JZ_FAILURE_NONE || failure == JZ_FAILURE_OUT_OF_MEMORY);
            expect_message(&f, SHARED, "afterwards", (test_bytes)BYTES(HELLO), (test_bytes)BYTES("Hello"));
            finish(&f);
        }
        assert_in_range(refused, kind == SHARED ? FEWEST_WHOLE : 4, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_message_is_read),
        cmocka_unit_test(messages_may_come_in_every_form_one_after_the_other),
        cmocka_unit_test(a_message_may_refer_to_earlier_ones_where_contexts_are_taken_over),
        cmocka_unit_test(what_does_not_inflate_is_invalid),
        cmocka_unit_test(what_zlib_compresses_is_read),
        cmocka_unit_test(the_window_goes_on_after_bfinal_however_full_it_is),
        cmocka_unit_test(a_client_that_looks_back_further_than_it_agreed_to_is_refused),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(without_memory_a_message_fails_and_the_next_does_not),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("decompression", tests, NULL, NULL));
}
