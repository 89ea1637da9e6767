/* Looking at a server: its loops, its workers, the busiest topics, the slowest receivers. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "codec/frame_header.h"
#include "support/allocation.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/testing.h"

enum { LOOPS = 3, CLIENTS = 6, LIMIT = 1024 * 1024, LITTLE_RECEIVE = 4096, PERIOD_MS = 500, SAMPLED = 100 };

static jz_server *server;
static test_client clients[CLIENTS];
static jz_ws handles[CLIENTS];
static atomic_size_t opens;
static atomic_size_t calls; /* of blocked handlers */
static atomic_bool is_blocked;

/* Subscribes to each topic that it is sent as text; sends binary messages back. */
static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        handles[opens] = ws;
        opens++;
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT)
        jz_ws_subscribe(ws, (const char *)message->bytes, message->length);
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void block(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    calls++;
    while (is_blocked)
        poll(NULL, 0, 1);
}

static void start(uint32_t threads, bool is_measured)
{
    static jz_route_options route, workers;
    opens = 0;
    calls = 0;
    is_blocked = true;
    route = workers = jz_route_options_default();
    route.backpressure_limit = LIMIT;
    workers.execution = JZ_EXECUTION_WORKERS;
    const serving_route routes[] = {
        {"/room/:id", handle, NULL, &route}, {"/slow", block, NULL, &workers}, BYSTANDER_ROUTE};
    jz_options options = serving_options(threads);
    options.worker_threads = 2;
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        assert_int_equal(
            jz_server_route_ws(server, routes[i].path, routes[i].options, routes[i].handler, routes[i].context, NULL),
            JZ_OK);
    if (is_measured)
        assert_int_equal(jz_server_measure(server, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
}

static void open_client(size_t number, int receive_buffer)
{
    assert_true(test_client_connect(&clients[number], jz_server_port(server), receive_buffer));
    assert_true(test_client_upgrade(&clients[number], UPGRADE_REQUEST("/room/7")));
    assert_eventually(opens == number + 1);
}

static void finish(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(server);
}

static jz_look *look(void)
{
    jz_look *seen = jz_server_look(server, NULL, NULL);
    assert_non_null(seen);
    return seen;
}

/* Looks when a period of topics has ended, on a clock that stands still. */
static jz_look *look_after_a_period(void)
{
    test_clock_advance(PERIOD_MS);
    return look();
}

static void subscribe(size_t number, const char *topic)
{
    const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {topic, strlen(topic), strlen(topic)}};
    test_client_send_frame(&clients[number], &frame);
    test_client_expect(&clients[number], JZ_OPCODE_TEXT, topic, strlen(topic));
}

static void publish(const char *topic, size_t times, size_t length)
{
    static const char payload[1000];
    for (size_t i = 0; i < times; i++)
        assert_int_equal(jz_server_publish(server, topic, strlen(topic), JZ_MESSAGE_BINARY, payload, length),
                         JZ_SEND_SENT);
}

static void expect_topic(const jz_topic_look *topic, const char *name, uint64_t publications, uint64_t subscribers,
                         uint64_t length)
{
    assert_string_equal(topic->name, name);
    assert_int_equal(topic->name_length, strlen(name));
    assert_false(topic->is_cut);
    assert_int_equal(topic->publications, publications);
    assert_int_equal(topic->deliveries, publications * subscribers);
    assert_int_equal(topic->bytes, publications * subscribers * length);
    assert_int_equal(topic->subscribers, subscribers);
}

/* Takes so many messages of topics: a loop sends them when it has counted all that was published before. */
static void take(size_t number, size_t count)
{
    test_received frame;
    for (size_t i = 0; i < count; i++) {
        assert_true(test_client_take_frame(&clients[number], &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_BINARY);
    }
}

/* On several loops, over which the subscribers are spread. */
static void the_busiest_topics_are_counted_exactly_since_the_last_look(void **state)
{
    (void)state;
    start(LOOPS, false);
    for (size_t i = 0; i < CLIENTS; i++) {
        open_client(i, 0);
        subscribe(i, "all");
        subscribe(i, i % 2 == 0 ? "even" : "odd");
        if (i == 0)
            subscribe(i, "one");
    }
    publish("all", 5, 10); /* nobody looks */
    for (size_t i = 0; i < CLIENTS; i++)
        take(i, 5);
    test_clock_stop(test_real_clock_ms());
    jz_look *seen = look();
    assert_int_equal(seen->topic_count, 0);
    assert_int_equal(seen->topics_period, 0);
    assert_int_equal(seen->topics_ns, 0);
    jz_look_free(seen);

    publish("all", 4, 100);
    publish("odd", 5, 10);
    publish("even", 2, 7);
    publish("one", 6, 1);
    publish("nobody", 9, 1);
    for (size_t i = 0; i < CLIENTS; i++)
        take(i, (size_t)4 + (i % 2 == 0 ? 2 : 5) + (i == 0 ? 6 : 0));
    seen = look_after_a_period();
    assert_int_equal(seen->topics_period, 1);
    assert_int_equal(seen->topics_ns, (uint64_t)PERIOD_MS * 1000000);
    assert_int_equal(seen->topic_count, 4);
    expect_topic(&seen->topics[0], "all", 4, CLIENTS, 100);
    expect_topic(&seen->topics[1], "odd", 5, 3, 10);
    expect_topic(&seen->topics[2], "one", 6, 1, 1);
    expect_topic(&seen->topics[3], "even", 2, 3, 7);
    jz_look_free(seen);

    /* A look that comes soon after another shows the same. */
    seen = look();
    assert_int_equal(seen->topics_period, 1);
    assert_int_equal(seen->topic_count, 4);
    jz_look_free(seen);

    publish("odd", 1, 0);
    for (size_t i = 1; i < CLIENTS; i += 2)
        take(i, 1);
    seen = look_after_a_period();
    assert_int_equal(seen->topics_period, 2);
    assert_int_equal(seen->topic_count, 1);
    expect_topic(&seen->topics[0], "odd", 1, 3, 0);
    jz_look_free(seen);
    test_clocks_run();
    finish(CLIENTS);
}

/* Whether no loop was seen in the middle of counting an iteration. */
static bool is_at_rest(const jz_look *seen)
{
    for (size_t i = 0; i < seen->loop_count; i++) {
        if (jz_times_count(&seen->loops[i].iteration_times) != seen->loops[i].iterations)
            return false;
    }
    return true;
}

static void each_loop_has_its_own_figures(void **state)
{
    (void)state;
    start(LOOPS, true);
    uint64_t sums[6] = {0};
    for (size_t i = 0; i < CLIENTS; i++) {
        open_client(i, 0);
        subscribe(i, "all");
        test_client_send_frame(&clients[i], &(test_frame)BINARY("123"));
        test_client_expect(&clients[i], JZ_OPCODE_BINARY, "123", 3);
    }
    jz_look *seen = look();
    assert_eventually((jz_look_free(seen), seen = look(), is_at_rest(seen)));
    assert_int_equal(seen->loop_count, LOOPS);
    for (size_t i = 0; i < LOOPS; i++) {
        const jz_loop_look *loop = &seen->loops[i];
        assert_int_equal(loop->websockets, CLIENTS / LOOPS);
        assert_int_equal(loop->topics, 1);
        assert_int_equal(loop->subscriptions, CLIENTS / LOOPS);
        assert_int_equal(loop->messages_received[JZ_MESSAGE_TEXT], CLIENTS / LOOPS);
        assert_int_equal(loop->bytes_received[JZ_MESSAGE_BINARY], 3 * CLIENTS / LOOPS);
        assert_int_equal(loop->messages_sent[JZ_MESSAGE_BINARY], CLIENTS / LOOPS);
        assert_int_equal(loop->bytes_sent[JZ_MESSAGE_TEXT], 3 * CLIENTS / LOOPS);
        assert_true(loop->iterations > 0);
        assert_true(loop->iteration_times.sum >= loop->longest_iteration);
        sums[0] += loop->websockets;
        sums[1] += loop->iterations;
    }
    assert_int_equal(seen->statistics.websockets, sums[0]);
    assert_true(seen->statistics.iterations <= sums[1]);
    assert_eventually((jz_look_free(seen), seen = look(), jz_times_count(&seen->loops[0].lateness) > 0));
    jz_look_free(seen);
    finish(CLIENTS);
}

static uint64_t count_of(jz_timing timing)
{
    jz_times times;
    jz_server_times(server, timing, &times);
    return jz_times_count(&times);
}

static void times_are_measured_where_that_was_asked_for(void **state)
{
    (void)state;
    for (int is_measured = 0; is_measured <= 1; is_measured++) {
        start(LOOPS, is_measured == 1);
        for (size_t i = 0; i < LOOPS; i++) {
            open_client(i, 0);
            for (size_t k = 0; k < SAMPLED; k++)
                subscribe(i, "one of so many messages is measured");
            test_client_send_frame(&clients[i], &(test_frame)CLOSE(1000, ""));
            assert_true(test_client_sees_end(&clients[i]));
        }
        assert_eventually(count_of(JZ_TIMING_WEBSOCKET) == (is_measured ? LOOPS : 0));
        assert_in_range(count_of(JZ_TIMING_HANDLER), is_measured, is_measured ? LOOPS * SAMPLED / 2 : 0);
        assert_int_equal(count_of(JZ_TIMING_PING), 0);
        assert_true(count_of(JZ_TIMING_ITERATION) > 0);
        assert_eventually((count_of(JZ_TIMING_LATENESS) > 0) == (is_measured == 1));
        jz_times times;
        jz_server_times(server, JZ_TIMING_ITERATION, &times);
        assert_true(jz_times_percentile(&times, 50) <= jz_times_percentile(&times, 99));
        assert_true(jz_times_percentile(&times, 100) > 0);
        jz_server_times(server, JZ_TIMING_COUNT, &times);
        assert_int_equal(jz_times_count(&times), 0);
        finish(LOOPS);
    }
}

/* Whether both of these are seen, with what waits for them now. */
/* Once all that was sent to them from here was taken from the mailboxes. */
static bool shows_amounts(const jz_look *seen, jz_ws first, jz_ws second)
{
    return seen->receiver_count == 2 && seen->receivers[0].ws.value == first.value &&
           seen->receivers[0].unsent_bytes == jz_ws_buffered_amount(first) &&
           seen->receivers[1].unsent_bytes == jz_ws_buffered_amount(second);
}

/* A loop counts what the kernel did not take when it was offered, and not what came later. */
static void expect_held(const jz_look *seen)
{
    const jz_receiver_look *most = &seen->receivers[0];
    const jz_receiver_look *less = &seen->receivers[1];
    uint64_t held = seen->loops[most->loop].buffered_bytes;
    assert_in_range(held, 1, most->unsent_bytes + (less->loop == most->loop ? less->unsent_bytes : 0));
}

static void expect_receiver(const jz_receiver_look *receiver, size_t number)
{
    char address[32];
    test_client_address(&clients[number], address);
    assert_int_equal(receiver->ws.value, handles[number].value);
    assert_string_equal(receiver->address, address);
    assert_string_equal(receiver->route, "/room/:id");
    assert_true(receiver->is_timed);
    assert_true(receiver->open_ms < TEST_DEADLINE_MS);
}

/* What the kernel did not take when it was offered, of all connections. */
static uint64_t held(void)
{
    static const jz_look_options nothing;
    jz_look *seen = jz_server_look(server, &nothing, NULL);
    assert_non_null(seen);
    uint64_t bytes = seen->statistics.buffered_bytes;
    jz_look_free(seen);
    return bytes;
}

/* How many messages were sent, or dropped: none of them waits for its loop any more. */
static uint64_t handled(void)
{
    jz_statistics now;
    jz_server_statistics(server, &now);
    return now.messages_sent[JZ_MESSAGE_BINARY] + now.dropped;
}

/* Sends until so much waits that the kernel does not take, and until all of it has reached the connection. */
static void flood(size_t number, size_t amount)
{
    static const uint8_t payload[1000];
    uint64_t before = held();
    uint64_t last = handled();
    for (uint64_t deadline = test_deadline(); held() < before + amount && test_is_before(deadline); last++)
        jz_ws_send(handles[number], JZ_MESSAGE_BINARY, payload, sizeof payload);
    assert_eventually(handled() == last);
}

/* Two of three do not read. */
static void the_slowest_receivers_come_first(void **state)
{
    (void)state;
    start(LOOPS, true);
    jz_look *seen = look();
    assert_int_equal(seen->receiver_count, 0);
    for (size_t i = 0; i < 3; i++)
        open_client(i, LITTLE_RECEIVE);
    /* As different as that, because the kernel may take some more meanwhile, and equal amounts have no order. */
    flood(0, LIMIT / 2);
    flood(2, LIMIT / 4);
    size_t first = 0, second = 2;
    assert_eventually((jz_look_free(seen), seen = look(),
                       first = jz_ws_buffered_amount(handles[0]) > jz_ws_buffered_amount(handles[2]) ? 0 : 2,
                       second = 2 - first, shows_amounts(seen, handles[first], handles[second])));
    expect_receiver(&seen->receivers[0], first);
    expect_receiver(&seen->receivers[1], second);
    expect_held(seen);
    jz_look_free(seen);

    const jz_look_options one = {.receivers = 1};
    seen = jz_server_look(server, &one, NULL);
    assert_non_null(seen);
    assert_int_equal(seen->receiver_count, 1);
    assert_int_equal(seen->receivers[0].ws.value, handles[first].value);
    assert_int_equal(seen->topic_count + seen->incident_count, 0);
    test_client_reset(&clients[0]);
    test_client_reset(&clients[2]);
    assert_eventually((jz_look_free(seen), seen = look(), seen->receiver_count == 0));
    jz_look_free(seen);
    test_client_close(&clients[1]);
    finish(0);
}

static void a_blocked_loop_is_seen_as_such(void **state)
{
    (void)state;
    start(1, false);
    open_client(0, 0);
    subscribe(0, "topic");
    bystander_open(jz_server_port(server));
    jz_look_free(look());
    publish("topic", 1, 3);
    test_received frame;
    assert_true(test_client_take_frame(&clients[0], &frame));
    bystander_hold_loop();
    poll(NULL, 0, 20);
    jz_look *seen = look();
    assert_eventually((jz_look_free(seen), seen = look(), seen->topic_count == 1));
    assert_true(seen->loops[0].lag >= UINT64_C(20000000));
    assert_int_equal(seen->loops[0].websockets, 2);
    jz_look_free(seen);
    bystander_release_loop();
    seen = look();
    assert_eventually((jz_look_free(seen), seen = look(), seen->loops[0].lag < UINT64_C(20000000)));
    jz_look_free(seen);
    bystander_close();
    finish(1);
}

static void the_queue_of_the_workers_is_seen(void **state)
{
    (void)state;
    start(1, false);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/slow")));
        test_client_send_frame(&clients[i], &(test_frame)TEXT("x"));
    }
    jz_look *seen = look();
    assert_eventually((jz_look_free(seen), seen = look(), seen->workers.queued == CLIENTS - 2));
    assert_int_equal(seen->workers.threads, 2);
    assert_int_equal(seen->workers.busy, 2);
    is_blocked = false;
    /* A message may still be on its way to the workers, where nothing else waits. */
    assert_eventually(
        (jz_look_free(seen), seen = look(), calls == CLIENTS && seen->workers.queued + seen->workers.busy == 0));
    jz_look_free(seen);
    finish(CLIENTS);
}

/* Nothing is counted when nobody has looked for some seconds, and then a look begins anew. */
static void counting_ends_some_time_after_the_last_look(void **state)
{
    (void)state;
    start(1, false);
    open_client(0, 0);
    subscribe(0, "topic");
    test_clock_stop(test_real_clock_ms());
    jz_look_free(look());
    test_clock_advance(4900);
    publish("topic", 2, 3);
    take(0, 2);
    jz_look *seen = look();
    assert_int_equal(seen->topic_count, 1);
    assert_int_equal(seen->topics_period, 1);
    assert_int_equal(seen->topics_ns, UINT64_C(4900000000));
    jz_look_free(seen);
    publish("topic", 2, 3);
    test_clock_advance(5000);
    publish("topic", 1, 3);
    take(0, 3);
    for (int i = 0; i < 2; i++) {
        seen = look();
        assert_int_equal(seen->topic_count, 0);
        assert_int_equal(seen->topics_ns, 0);
        jz_look_free(seen);
        test_clock_advance(PERIOD_MS);
        publish("topic", 1, 3);
        test_clock_advance(5000);
    }
    test_clocks_run();
    finish(1);
}

static void a_look_without_memory_fails(void **state)
{
    (void)state;
    start(1, false);
    for (size_t i = 0; i < 2; i++) {
        jz_error error = {0};
        test_allocations_fail_after(i);
        jz_look *seen = jz_server_look(server, NULL, &error);
        assert_int_equal(test_allocations_succeed(), 1);
        assert_null(seen);
        assert_int_equal(error.status, JZ_STATUS_OUT_OF_MEMORY);
    }
    jz_look_free(NULL);
    jz_look_free(look());
    finish(0);
}

/* With a client that stays, it drains and stops until that has gone. */
static void what_becomes_of_the_server_is_seen(void **state)
{
    (void)state;
    start(1, false);
    open_client(0, 0);
    const char *expected[] = {"running", "draining", "stopping"};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        if (i == 1)
            jz_server_drain(server, JZ_NEVER);
        else if (i == 2)
            jz_server_stop(server);
        jz_look *seen = look();
        assert_string_equal(seen->state, expected[i]);
        assert_true(seen->process.cpu_ns > 0);
        jz_look_free(seen);
    }
    finish(1);
}

static void a_server_that_does_not_run_is_looked_at_too(void **state)
{
    (void)state;
    server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    jz_look *seen = look();
    assert_int_equal(seen->topic_count + seen->receiver_count + seen->incident_count, 0);
    assert_int_equal(seen->workers.threads, 0);
    assert_string_equal(seen->state, "running");
    assert_false(seen->has_broker);
    assert_false(seen->transports.are_there);
    jz_look_free(seen);
    jz_server_destroy(server);
    start(1, false);
    jz_server_stop(server);
    jz_server_wait(server);
    jz_look_free(look());
    assert_int_equal(jz_server_measure(server, NULL), JZ_STATUS_INVALID_STATE);
    finish(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_busiest_topics_are_counted_exactly_since_the_last_look),
        cmocka_unit_test(each_loop_has_its_own_figures),
        cmocka_unit_test(times_are_measured_where_that_was_asked_for),
        cmocka_unit_test(the_slowest_receivers_come_first),
        cmocka_unit_test(a_blocked_loop_is_seen_as_such),
        cmocka_unit_test(the_queue_of_the_workers_is_seen),
        cmocka_unit_test(counting_ends_some_time_after_the_last_look),
        cmocka_unit_test(a_look_without_memory_fails),
        cmocka_unit_test(what_becomes_of_the_server_is_seen),
        cmocka_unit_test(a_server_that_does_not_run_is_looked_at_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("insight", tests, NULL, NULL));
}
