/*
 * Whole servers whose bytes do not go through sockets: controlled by a seed, all bytes arrive in varying portions and
 * at varying times, and some not at all. Echoes are complete and in order; or, if a channel was lost, correct as far as
 * they came. It makes no difference whether the clients' bells are sockets that the server has accepted, or eventfds or
 * pipes that it has adopted.
 */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/eventually.h"
#include "support/frame.h"
#include "support/journal.h"
#include "support/memory_transport.h"
#include "support/random.h"
#include "support/serving.h"
#include "support/testing.h"

enum { CLIENTS = 5, MESSAGES = 15, LONGEST = 70000, SEEDS = 24, LIMIT = 64 << 20 };

#define REQUEST                                                                                                        \
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/* A client's input, and the expected output of the server behind its response. */
typedef struct talker {
    memory_client end;
    jz_buffer speech;
    size_t said;
    jz_buffer due;
    jz_buffer heard;
    bool has_ended;
} talker;

/* How clients come to the server. */
typedef enum way { BY_SOCKET, BY_EVENT, BY_PIPE } way;

static way way_of_clients;
static jz_server *server;
static journal seen;
static memory_network network;
static talker talkers[CLIENTS];

/* Echoes, and sometimes wants no more for a while. */
static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE || message->kind > JZ_MESSAGE_BINARY)
        return;
    jz_ws_send(ws, message->kind, message->bytes, message->length);
    if (message->length % 5 == 1)
        jz_ws_pause_reading(ws);
}

static void start_with(uint32_t threads, size_t backpressure_limit)
{
    jz_error error = {0};
    jz_options options = serving_options(threads);
    jz_route_options route = jz_route_options_default();
    route.backpressure_limit = backpressure_limit;
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    memory_network_begin(&network);
    server = jz_server_create(&options, &error);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", &route, journal_handle, &seen, &error), JZ_OK);
    const jz_listen_options listening = {.transport = &memory_transport, .transport_context = &network};
    if (way_of_clients == BY_SOCKET)
        assert_that(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
    else
        assert_int_equal(jz_server_expect_adoption(server, &error), JZ_OK);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
}

static void start(uint32_t threads)
{
    start_with(threads, LIMIT);
}

static void begin(talker *talker)
{
    jz_error error = {0};
    memory_bell_kind kind = way_of_clients == BY_PIPE ? MEMORY_BELL_PIPE : MEMORY_BELL_EVENT;
    if (way_of_clients == BY_SOCKET)
        assert_true(memory_connect(&talker->end, &network, jz_server_port(server)));
    else
        assert_that(memory_adopt(&talker->end, &network, server, kind, NULL, &error), "%s", error.message);
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    assert_int_equal(network.opened, network.closed);
    pthread_mutex_destroy(&seen.lock);
    memory_network_end(&network);
}

/* None is so long that its way takes longer than a test may. */
static size_t choose_length(test_random *random)
{
    bool is_tiny = (network.most_sent != 0 && network.most_sent < 100) || (network.room != 0 && network.room < 100);
    if (is_tiny)
        return test_random_below(random, 130);
    static const size_t lengths[] = {0, 125, 126, 4090, 8192, 16384, 65535, 65536, LONGEST};
    return test_random_below(random, 3) > 0 ? test_random_below(random, 300)
                                            : lengths[test_random_below(random, COUNT_OF(lengths))];
}

static void prepare(talker *talker, test_random *random, bool closes)
{
    static const uint8_t key[4] = {9, 8, 7, 6};
    *talker = (struct talker){0};
    assert_true(jz_buffer_append(&talker->speech, REQUEST, strlen(REQUEST)));
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t length = choose_length(random);
        const test_frame frame = BINARY_OF({"abcdefg", 1 + test_random_below(random, 7), length});
        test_frame_append(&talker->speech, &frame, key);
        test_frame_append(&talker->due, &frame, NULL);
    }
    if (!closes)
        return;
    test_frame_append(&talker->speech, &(test_frame)CLOSE(1000, ""), key);
    test_frame_append(&talker->due, &(test_frame)CLOSE(1000, ""), NULL);
}

static void say_some(talker *talker, test_random *random)
{
    static const size_t most[] = {1, 100, 5000, 200000};
    size_t left = talker->speech.length - talker->said;
    size_t part = 1 + test_random_below(random, most[test_random_below(random, COUNT_OF(most))]);
    if (left == 0)
        return;
    if (part > left)
        part = left;
    memory_send(&talker->end, talker->speech.bytes + talker->said, part);
    talker->said += part;
}

static void hear_some(talker *talker, test_random *random)
{
    uint8_t bytes[20000];
    size_t capacity = 1 + test_random_below(random, sizeof bytes);
    size_t count = memory_receive(&talker->end, bytes, capacity);
    assert_true(jz_buffer_append(&talker->heard, bytes, count));
    talker->has_ended = count == 0 && memory_has_ended(&talker->end);
}

/* All talk, until all have ended. */
static void talk(test_random *random)
{
    uint64_t deadline = test_deadline();
    size_t ended = 0;
    size_t heard = 0;
    while (ended < CLIENTS) {
        size_t heard_before = heard;
        ended = heard = 0;
        size_t number = test_random_below(random, CLIENTS);
        for (size_t i = 0; i < CLIENTS; i++) {
            talker *talker = &talkers[i];
            if (test_random_below(random, 2) == 0)
                say_some(talker, random);
            if (!talker->has_ended && test_random_below(random, 3) > 0)
                hear_some(talker, random);
            ended += talker->has_ended;
            heard += talker->heard.length;
        }
        /* As long as there is progress, however slow, it does not hang. */
        if (heard > heard_before)
            deadline = test_deadline();
        for (size_t i = 0; i < seen.opens; i++)
            jz_ws_resume_reading(journal_handle_of(&seen, i));
        if (!talkers[number].has_ended && talkers[number].said == talkers[number].speech.length &&
            memory_waiting(&talkers[number].end) == 0)
            memory_wait(&talkers[number].end);
        assert_that(test_is_before(deadline), "seed %zu: %zu of %d have ended", (size_t)network.seed, ended, CLIENTS);
    }
}

/* Whether the received bytes are the expected ones or, with `may_be_cut`, the beginning of them. */
static void expect_due(const talker *talker, uint64_t seed, bool may_be_cut)
{
    static const char end_of_head[] = "\r\n\r\n";
    size_t start = 0;
    while (start + 4 <= talker->heard.length && memcmp(talker->heard.bytes + start, end_of_head, 4) != 0)
        start++;
    bool has_head = start + 4 <= talker->heard.length;
    assert_that(has_head || may_be_cut, "seed %zu: no response", (size_t)seed);
    size_t length = has_head ? talker->heard.length - start - 4 : 0;
    assert_that(length == talker->due.length || (may_be_cut && length < talker->due.length),
                "seed %zu: %zu bytes instead of %zu, ended %d in order %d", (size_t)seed, length, talker->due.length,
                talker->has_ended, memory_has_ended_in_order(&talker->end));
    if (length > 0)
        assert_memory_equal(talker->heard.bytes + start + 4, talker->due.bytes, length);
    assert_true(may_be_cut || memory_has_ended_in_order(&talker->end));
}

static void forget(talker *talker)
{
    memory_close(&talker->end);
    jz_buffer_free(&talker->speech);
    jz_buffer_free(&talker->due);
    jz_buffer_free(&talker->heard);
}

/* What a seed does. */
static memory_network network_of(uint64_t seed, test_random *random)
{
    static const size_t most[] = {0, 60, 1000, 5000};
    static const size_t rooms[] = {0, 90, 4000, 10000};
    static const uint32_t rarities[] = {0, 3, 8, 20};
    *random = (test_random){.state = seed};
    memory_network chosen = {.seed = seed,
                             .most_received = most[test_random_below(random, COUNT_OF(most))],
                             .most_sent = most[test_random_below(random, COUNT_OF(most))],
                             .room = rooms[test_random_below(random, COUNT_OF(rooms))],
                             .steps = (uint32_t)test_random_below(random, 6),
                             .contrary = rarities[test_random_below(random, COUNT_OF(rarities))]};
    return chosen;
}

static void play(uint64_t seed, uint32_t failing)
{
    test_random random;
    network = network_of(seed, &random);
    network.failing = failing;
    start(1 + (uint32_t)(seed % 3));
    for (size_t i = 0; i < CLIENTS; i++) {
        prepare(&talkers[i], &random, true);
        begin(&talkers[i]);
    }
    talk(&random);
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_due(&talkers[i], seed, failing > 0);
        forget(&talkers[i]);
    }
    finish();
}

static void what_is_said_comes_back_whole_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed, 0);
}

static void where_a_channel_is_lost_what_had_come_was_right(void **state)
{
    static const uint32_t rarities[] = {1, 2, 5, 30, 200};
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed, rarities[seed % COUNT_OF(rarities)]);
}

/* The end of the stream is behind bytes that the poll does not know. */
static void the_end_of_who_says_no_more_is_found_behind_its_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        test_random random;
        network = network_of(seed, &random);
        start(1);
        talker *talker = &talkers[0];
        prepare(talker, &random, false);
        begin(talker);
        assert_true(memory_send(&talker->end, talker->speech.bytes, talker->speech.length));
        memory_stop_sending(&talker->end);
        uint64_t deadline = test_deadline();
        while (!talker->has_ended && test_is_before(deadline)) {
            size_t heard_before = talker->heard.length;
            hear_some(talker, &random);
            if (talker->heard.length > heard_before)
                deadline = test_deadline();
            if (seen.opens > 0)
                jz_ws_resume_reading(journal_handle_of(&seen, 0));
            if (memory_waiting(&talker->end) == 0 && !talker->has_ended)
                memory_wait(&talker->end);
        }
        expect_due(talker, seed, false);
        forget(talker);
        finish();
    }
}

/* Hears until there are so many bytes, all that there is at a time. */
static void hear(talker *talker, size_t length)
{
    uint8_t bytes[20000];
    uint64_t deadline = test_deadline();
    while (talker->heard.length < length) {
        size_t count = memory_receive(&talker->end, bytes, sizeof bytes);
        assert_true(jz_buffer_append(&talker->heard, bytes, count));
        assert_that(count > 0 || test_pause_before(deadline), "%zu bytes instead of %zu", talker->heard.length, length);
    }
}

/* The bell rings while the server waits for room, and reads nothing: it does not ring again when it does. */
static void what_comes_while_nothing_is_read_is_found_without_another_bell(void **state)
{
    /* The waiting bytes are more than half of the limit, and are sent at once when there is room. */
    enum { ROOM = 8000, LENGTH = 12000, LITTLE = 4096 };
    static const uint8_t key[4] = {1, 2, 3, 4};
    (void)state;
    network = (memory_network){.room = ROOM};
    start_with(1, LITTLE);
    talker *talker = &talkers[0];
    *talker = (struct talker){0};
    begin(talker);
    assert_true(memory_send(&talker->end, REQUEST, strlen(REQUEST)));
    assert_eventually(seen.opens == 1);
    hear(talker, 1);
    size_t head = talker->heard.length + memory_waiting(&talker->end);
    hear(talker, head);
    test_frame_append(&talker->speech, &(test_frame)BINARY_OF(REPEATED("x", LENGTH)), key);
    size_t first = talker->speech.length;
    test_frame_append(&talker->speech, &(test_frame)BINARY("behind"), key);
    assert_true(memory_send(&talker->end, talker->speech.bytes, first));
    assert_eventually(jz_ws_buffered_amount(journal_handle_of(&seen, 0)) > LITTLE / 2);
    assert_true(memory_send(&talker->end, talker->speech.bytes + first, talker->speech.length - first));
    hear(talker, head + 4 + LENGTH + 2 + 6);
    assert_memory_equal(talker->heard.bytes + talker->heard.length - 6, "behind", 6);
    forget(talker);
    finish();
}

/* Clients that go away at any moment: in the handshake, with bytes under way, while the server waits for room. */
static void who_goes_away_leaves_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_random random;
        network = network_of(seed, &random);
        network.room = seed % 2 == 0 ? 100 : 0;
        start(1 + (uint32_t)(seed % 2));
        for (size_t i = 0; i < CLIENTS; i++) {
            prepare(&talkers[i], &random, false);
            begin(&talkers[i]);
            size_t turns = test_random_below(&random, 20);
            for (size_t k = 0; k < turns; k++) {
                say_some(&talkers[i], &random);
                hear_some(&talkers[i], &random);
            }
            if (seed % 3 == 0)
                jz_server_drain(server, JZ_NEVER);
            forget(&talkers[i]);
            if (seed % 3 == 0)
                break;
        }
        if (seed % 3 == 0)
            jz_server_wait(server);
        jz_statistics now;
        assert_eventually((jz_server_statistics(server, &now), now.connections == 0));
        finish();
    }
}

int main(void)
{
    static const char *const names[] = {
        [BY_SOCKET] = "accepted sockets", [BY_EVENT] = "adopted eventfds", [BY_PIPE] = "adopted pipes"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_comes_back_whole_and_in_order),
        cmocka_unit_test(where_a_channel_is_lost_what_had_come_was_right),
        cmocka_unit_test(the_end_of_who_says_no_more_is_found_behind_its_bytes),
        cmocka_unit_test(what_comes_while_nothing_is_read_is_found_without_another_bell),
        cmocka_unit_test(who_goes_away_leaves_nothing),
    };
    int failed = 0;
    signal(SIGPIPE, SIG_IGN); /* a client with a pipe sends to a server that may have closed it */
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        way_of_clients = (way)i;
        failed += cmocka_run_group_tests_name(names[i], tests, NULL, NULL);
    }
    return EXIT_STATUS_OF(failed);
}
