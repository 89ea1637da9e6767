#define _POSIX_C_SOURCE 200809L

#include "output/publication.h"
#include "session/outgoing.h"

#include <pthread.h>

#include "codec/frame_header.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/testing.h"
#include "support/zlib_calls.h"
#include "support/zlib_peer.h"

enum { LENGTH = 5000 };

/* A session that has agreed on compression, with a workspace to itself as on a loop of its own. */
typedef struct compressing {
    jz_compression_workspace workspace;
    jz_session_settings settings;
    jz_session session;
} compressing;

static void start(compressing *started, uint8_t window_bits, bool keeps_context)
{
    *started = (compressing){0};
    started->settings = (jz_session_settings){.max_message_size = 1 << 20,
                                              .deflate = {.mode = JZ_DEFLATE_DEDICATED,
                                                          .window_bits = 15,
                                                          .memory_level = 8,
                                                          .level = 6,
                                                          .min_message_size = 64},
                                              .workspace = &started->workspace};
    const jz_deflate_agreement agreement = {.is_agreed = true,
                                            .server_no_context_takeover = !keeps_context,
                                            .client_no_context_takeover = true,
                                            .server_max_window_bits = window_bits,
                                            .client_max_window_bits = 15};
    jz_session_init(&started->session, &started->settings);
    jz_session_use_deflate(&started->session, &agreement);
}

static void finish(compressing *finished)
{
    jz_session_free(&finished->session);
    jz_compression_workspace_free(&finished->workspace);
}

static jz_publication *publish(test_content content, size_t length, jz_compression compression)
{
    jz_buffer message = {0};
    test_random random = {length};
    test_content_fill(&message, content, length, &random);
    jz_publication *publication = jz_publication_create(JZ_MESSAGE_BINARY, message.bytes, message.length, compression);
    assert_non_null(publication);
    jz_buffer_free(&message);
    return publication;
}

static void all_sessions_without_compression_share_one_frame(void **state)
{
    (void)state;
    static const struct {
        jz_message_kind kind;
        uint8_t opcode;
        size_t length;
    } cases[] = {
        {JZ_MESSAGE_TEXT, JZ_OPCODE_TEXT, 0},         {JZ_MESSAGE_TEXT, JZ_OPCODE_TEXT, 125},
        {JZ_MESSAGE_TEXT, JZ_OPCODE_TEXT, 126},       {JZ_MESSAGE_BINARY, JZ_OPCODE_BINARY, 65535},
        {JZ_MESSAGE_BINARY, JZ_OPCODE_BINARY, 65536},
    };
    static uint8_t message[65536];
    memset(message, 'j', sizeof message);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_publication *publication =
            jz_publication_create(cases[i].kind, message, cases[i].length, JZ_COMPRESSION_AUTOMATIC);
        jz_session first = {0};
        jz_session second = {0};
        size_t length = 0;
        const uint8_t *frame = jz_publication_frame_for(publication, &first, &length);
        jz_frame_header header;
        assert_true(jz_frame_header_decode(frame, length, &header));
        assert_true(header.fin);
        assert_int_equal(header.reserved, 0);
        assert_int_equal(header.opcode, cases[i].opcode);
        assert_int_equal(header.payload_length, cases[i].length);
        assert_int_equal(length, header.header_length + cases[i].length);
        assert_memory_equal(frame + header.header_length, message, cases[i].length);
        assert_ptr_equal(jz_publication_frame_for(publication, &second, &length), frame);
        jz_publication_release(publication);
    }
}

static void a_message_is_compressed_once_for_each_window(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_publication *publication = publish(LETTERS, LENGTH, JZ_COMPRESSION_AUTOMATIC);
    compressing sessions[4];
    start(&sessions[0], 15, false);
    start(&sessions[1], 15, true);
    start(&sessions[2], 10, false);
    start(&sessions[3], 15, false);
    sessions[3].settings.deflate.level = 1;
    const uint8_t *frames[4];
    size_t lengths[4];
    for (size_t i = 0; i < COUNT_OF(sessions); i++)
        frames[i] = jz_publication_frame_for(publication, &sessions[i].session, &lengths[i]);
    assert_ptr_equal(frames[0], frames[1]);
    assert_ptr_not_equal(frames[0], frames[2]);
    assert_ptr_not_equal(frames[0], frames[3]);
    assert_ptr_not_equal(frames[2], frames[3]);
    size_t deflations = test_deflate_count();
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        size_t length = 0;
        assert_ptr_equal(jz_publication_frame_for(publication, &sessions[i].session, &length), frames[i]);
        assert_int_equal(length, lengths[i]);
        assert_true(length < LENGTH);
        assert_int_equal(frames[i][0], 0xC0 | JZ_OPCODE_BINARY); /* FIN and RSV1 */
    }
    assert_int_equal(test_deflate_count(), deflations);
    for (size_t i = 0; i < COUNT_OF(sessions); i++)
        finish(&sessions[i]);
    jz_publication_release(publication);
    assert_int_equal(test_live_allocations(), live);
}

enum { THREADS = 4, ROUNDS = 50 };

typedef struct receiver {
    compressing receiving;
    jz_publication **publications;
    const uint8_t *frames[ROUNDS];
    size_t lengths[ROUNDS];
    pthread_barrier_t *barrier;
} receiver;

static void *receive_publications(void *context)
{
    receiver *self = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(self->barrier);
        self->frames[i] = jz_publication_frame_for(self->publications[i], &self->receiving.session, &self->lengths[i]);
        jz_publication_release(self->publications[i]);
    }
    return NULL;
}

static void loops_that_send_it_at_the_same_time_share_what_one_has_compressed(void **state)
{
    (void)state;
    static receiver receivers[THREADS];
    jz_publication *publications[ROUNDS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    size_t live = test_live_allocations();
    for (size_t i = 0; i < ROUNDS; i++) {
        publications[i] = publish(LETTERS, LENGTH + i, JZ_COMPRESSION_AUTOMATIC);
        for (size_t j = 0; j < THREADS; j++)
            jz_publication_retain(publications[i]);
    }
    size_t deflations = test_deflate_count();
    for (size_t i = 0; i < THREADS; i++) {
        start(&receivers[i].receiving, 15, false);
        receivers[i].publications = publications;
        receivers[i].barrier = &barrier;
        assert_int_equal(pthread_create(&threads[i], NULL, receive_publications, &receivers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(test_deflate_count() - deflations, ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++) {
        for (size_t j = 1; j < THREADS; j++) {
            assert_ptr_equal(receivers[j].frames[i], receivers[0].frames[i]);
            assert_int_equal(receivers[j].lengths[i], receivers[0].lengths[i]);
        }
        jz_publication_release(publications[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        finish(&receivers[i].receiving);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(test_live_allocations(), live);
}

static void what_is_not_to_be_compressed_goes_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        test_content content;
        size_t length;
        jz_compression compression;
        bool is_compressed;
    } cases[] = {
        {"noise", NOISE, LENGTH, JZ_COMPRESSION_AUTOMATIC, false},
        {"noise, always", NOISE, LENGTH, JZ_COMPRESSION_ALWAYS, false},
        {"nothing, always", ZEROS, 0, JZ_COMPRESSION_ALWAYS, false},
        {"letters, never", LETTERS, LENGTH, JZ_COMPRESSION_NEVER, false},
        {"less than the least", ZEROS, 63, JZ_COMPRESSION_AUTOMATIC, false},
        {"the least", ZEROS, 64, JZ_COMPRESSION_AUTOMATIC, true},
        {"less than the least, always", ZEROS, 63, JZ_COMPRESSION_ALWAYS, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_publication *publication = publish(cases[i].content, cases[i].length, cases[i].compression);
        compressing receiving;
        start(&receiving, 15, true);
        jz_session plain = {0};
        size_t length = 0;
        size_t plain_length = 0;
        const uint8_t *frame = jz_publication_frame_for(publication, &receiving.session, &length);
        const uint8_t *plain_frame = jz_publication_frame_for(publication, &plain, &plain_length);
        assert_that((frame != plain_frame) == cases[i].is_compressed, "%s", cases[i].what);
        assert_that((length < plain_length) == cases[i].is_compressed, "%s", cases[i].what);
        /* That compressing is in vain is found out once, too. */
        size_t deflations = test_deflate_count();
        assert_ptr_equal(jz_publication_frame_for(publication, &receiving.session, &length), frame);
        assert_int_equal(test_deflate_count(), deflations);
        finish(&receiving);
        jz_publication_release(publication);
    }
}

/* Inflates a frame as the peer does, and compares. */
static void expect_inflated(zlib_peer *peer, const uint8_t *frame, size_t frame_length, const jz_buffer *message)
{
    jz_frame_header header;
    jz_buffer inflated = {0};
    assert_true(jz_frame_header_decode(frame, frame_length, &header));
    assert_int_equal(header.reserved, JZ_RSV1);
    assert_int_equal(frame_length, header.header_length + header.payload_length);
    assert_true(zlib_peer_decompress(peer, frame + header.header_length, (size_t)header.payload_length, &inflated));
    assert_int_equal(inflated.length, message->length);
    assert_memory_equal(inflated.bytes, message->bytes, message->length);
    jz_buffer_free(&inflated);
}

/*
 * The peer keeps one context for all that it is sent. Messages of its own are compressed in a context of this side's
 * which has not seen the publications between them.
 */
static void peers_that_keep_a_context_can_read_what_follows_a_publication(void **state)
{
    (void)state;
    static const uint8_t windows[] = {9, 15};
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        compressing sending;
        zlib_peer peer;
        test_random random = {i};
        jz_buffer message = {0};
        jz_buffer output = {0};
        start(&sending, windows[i], true);
        zlib_peer_start(&peer, 15, windows[i]);
        for (size_t j = 0; j < 60; j++) {
            test_content_fill(&message, LETTERS, 100 + test_random_below(&random, 2000), &random);
            if (test_random_below(&random, 2) == 0) {
                output.length = 0;
                assert_int_equal(
                    jz_session_send(&sending.session, JZ_MESSAGE_TEXT, message.bytes, message.length, &output),
                    JZ_SEND_SENT);
                expect_inflated(&peer, output.bytes, output.length, &message);
                continue;
            }
            jz_publication *publication =
                jz_publication_create(JZ_MESSAGE_TEXT, message.bytes, message.length, JZ_COMPRESSION_AUTOMATIC);
            size_t length = 0;
            const uint8_t *frame = jz_publication_frame_for(publication, &sending.session, &length);
            expect_inflated(&peer, frame, length, &message);
            jz_publication_release(publication);
        }
        zlib_peer_finish(&peer);
        finish(&sending);
        jz_buffer_free(&output);
        jz_buffer_free(&message);
    }
}

static void without_memory_a_publication_is_sent_uncompressed_or_not_made(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    test_allocations_fail_after(0);
    const jz_publication *none = jz_publication_create(JZ_MESSAGE_TEXT, "text", 4, JZ_COMPRESSION_AUTOMATIC);
    assert_int_equal(test_allocations_succeed(), 1);
    assert_null(none);
    bool has_failed = true;
    for (size_t allowed = 0; has_failed; allowed++) {
        jz_publication *publication = publish(LETTERS, LENGTH, JZ_COMPRESSION_AUTOMATIC);
        compressing receiving;
        start(&receiving, 15, true);
        size_t length = 0;
        test_allocations_fail_after(allowed);
        const uint8_t *frame = jz_publication_frame_for(publication, &receiving.session, &length);
        has_failed = test_allocations_succeed() > 0;
        bool is_compressed = (frame[0] & 0x40) != 0;
        assert_int_equal(is_compressed, length < LENGTH);
        assert_true(is_compressed || has_failed);
        finish(&receiving);
        jz_publication_release(publication);
    }
    assert_int_equal(test_live_allocations(), live);
}

/* A history keeps one copy: what receivers made of it is freed with the last of them, and made again for the next. */
static void what_only_a_history_has_is_not_kept_compressed(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_publication *publication = publish(LETTERS, LENGTH, JZ_COMPRESSION_AUTOMATIC);
    jz_publication_keep(publication);
    jz_publication_release(publication);
    for (size_t i = 0; i < 3; i++) {
        compressing receiving;
        size_t length = 0;
        start(&receiving, 15, false);
        jz_publication_retain(publication);
        jz_publication_retain(publication);
        size_t deflations = test_deflate_count();
        const uint8_t *frame = jz_publication_frame_for(publication, &receiving.session, &length);
        assert_int_equal(test_deflate_count(), deflations + 1);
        jz_publication_release(publication);
        assert_ptr_equal(jz_publication_frame_for(publication, &receiving.session, &length), frame);
        assert_int_equal(frame[0], 0xC0 | JZ_OPCODE_BINARY);
        finish(&receiving);
        jz_publication_release(publication);
        assert_int_equal(test_live_allocations(), live + 1);
    }
    /* A receiver that is left when the history forgets it still has what it is sent. */
    compressing receiving;
    size_t length = 0;
    start(&receiving, 15, false);
    jz_publication_retain(publication);
    jz_publication_retain(publication);
    const uint8_t *frame = jz_publication_frame_for(publication, &receiving.session, &length);
    jz_publication_forget(publication);
    jz_publication_release(publication);
    assert_int_equal(frame[0], 0xC0 | JZ_OPCODE_BINARY);
    assert_ptr_equal(jz_publication_frame_for(publication, &receiving.session, &length), frame);
    finish(&receiving);
    jz_publication_release(publication);
    assert_int_equal(test_live_allocations(), live);
}

static void a_publication_longer_than_memory_is_not_made(void **state)
{
    (void)state;
    assert_null(jz_publication_create(JZ_MESSAGE_TEXT, "", SIZE_MAX, JZ_COMPRESSION_AUTOMATIC));
    assert_null(jz_publication_create(JZ_MESSAGE_TEXT, "", SIZE_MAX - 16, JZ_COMPRESSION_AUTOMATIC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sessions_without_compression_share_one_frame),
        cmocka_unit_test(a_message_is_compressed_once_for_each_window),
        cmocka_unit_test(loops_that_send_it_at_the_same_time_share_what_one_has_compressed),
        cmocka_unit_test(what_is_not_to_be_compressed_goes_as_it_is),
        cmocka_unit_test(peers_that_keep_a_context_can_read_what_follows_a_publication),
        cmocka_unit_test(without_memory_a_publication_is_sent_uncompressed_or_not_made),
        cmocka_unit_test(what_only_a_history_has_is_not_kept_compressed),
        cmocka_unit_test(a_publication_longer_than_memory_is_not_made),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("publication", tests, NULL, NULL));
}
