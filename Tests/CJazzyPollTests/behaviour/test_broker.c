/* What a server and its broker (jazzy/broker.h) owe each other, with a broker that writes down what it is told. */
#include "jazzy/broker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/topic_set.h"

#define TOPIC "news", 4

struct recorder;
typedef void (*doing)(struct recorder *recorder);

typedef struct recorder {
    pthread_mutex_t lock; /* of `topics` */
    topic_set topics;
    bool has_no_memory; /* it counts them only */
    atomic_size_t topic_count;
    jz_server *server;
    jz_status start_status;
    const char *start_message; /* where that is not JZ_OK */
    _Atomic jz_send_status publish_status;
    atomic_size_t starts;
    atomic_size_t stops;
    atomic_size_t publications;
    atomic_size_t calls_under_way;
    atomic_size_t errors;    /* calls that should not have come, or not then */
    _Atomic(doing) within;   /* what it does within its functions, or NULL */
    atomic_size_t delivered; /* by that */
    atomic_size_t dropped;
} recorder;

static void begin_call(recorder *recorder)
{
    recorder->calls_under_way++;
    recorder->errors += recorder->starts == recorder->stops + 1 ? 0 : 1;
}

static void end_call(recorder *recorder)
{
    doing within = recorder->within;
    if (within != NULL)
        within(recorder);
    recorder->calls_under_way--;
}

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    recorder *recorder = context;
    recorder->server = server;
    if (recorder->start_status != JZ_OK) {
        snprintf(error->message, sizeof error->message, "%s", recorder->start_message);
        return recorder->start_status;
    }
    recorder->starts++;
    return JZ_OK;
}

static void stop(void *context)
{
    recorder *recorder = context;
    recorder->errors += recorder->calls_under_way + (recorder->starts == recorder->stops + 1 ? 0 : 1);
    recorder->stops++;
}

static void subscribe(void *context, const char *topic, size_t length)
{
    recorder *recorder = context;
    begin_call(recorder);
    pthread_mutex_lock(&recorder->lock);
    recorder->topic_count++;
    if (!recorder->has_no_memory && !topic_set_add(&recorder->topics, topic, length))
        recorder->errors++;
    pthread_mutex_unlock(&recorder->lock);
    end_call(recorder);
}

static void unsubscribe(void *context, const char *topic, size_t length)
{
    recorder *recorder = context;
    begin_call(recorder);
    pthread_mutex_lock(&recorder->lock);
    recorder->topic_count--;
    if (!recorder->has_no_memory && !topic_set_remove(&recorder->topics, topic, length))
        recorder->errors++;
    pthread_mutex_unlock(&recorder->lock);
    end_call(recorder);
}

static jz_send_status publish(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    (void)topic;
    (void)topic_length;
    (void)bytes;
    (void)length;
    recorder *recorder = context;
    begin_call(recorder);
    recorder->errors += kind <= JZ_MESSAGE_BINARY ? 0 : 1;
    recorder->publications++;
    jz_send_status status = recorder->publish_status;
    end_call(recorder);
    return status;
}

static jz_broker broker_of(recorder *recorder)
{
    return (jz_broker){.context = recorder,
                       .start = start,
                       .stop = stop,
                       .subscribe = subscribe,
                       .unsubscribe = unsubscribe,
                       .publish = publish};
}

static _Atomic jz_send_status last_status;
static atomic_size_t fail_after; /* allocations of the next subscription; SIZE_MAX is all succeed */

/* "+news" subscribes, "-news" unsubscribes, "news" publishes itself to the topic of that name; each is answered. */
static void obey(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_CLOSE)
        jz_ws_publish(ws, TOPIC, JZ_MESSAGE_TEXT, "left", 4);
    if (event->type != JZ_EVENT_MESSAGE || message->length == 0)
        return;
    const char *text = (const char *)message->bytes;
    if (text[0] == '+') {
        test_allocations_fail_after(fail_after);
        last_status = jz_ws_subscribe(ws, text + 1, message->length - 1);
        test_allocations_succeed();
    } else if (text[0] == '-') {
        last_status = jz_ws_unsubscribe(ws, text + 1, message->length - 1);
    } else {
        last_status = jz_ws_publish(ws, text, message->length, message->kind, message->bytes, message->length);
    }
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
}

static jz_server *create(recorder *recorder, const jz_options *options)
{
    jz_error error = {0};
    const jz_options defaults = serving_options(2);
    fail_after = SIZE_MAX;
    topic_set_init(&recorder->topics);
    assert_int_equal(pthread_mutex_init(&recorder->lock, NULL), 0);
    jz_server *server = jz_server_create(options != NULL ? options : &defaults, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, obey, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    const jz_broker broker = broker_of(recorder);
    assert_that(jz_server_join(server, &broker, &error) == JZ_OK, "%s", error.message);
    return server;
}

static jz_server *run(recorder *recorder, const jz_options *options)
{
    jz_error error = {0};
    jz_server *server = create(recorder, options);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    return server;
}

/* What is true of every broker at the end of its server. */
static void finish(recorder *recorder, jz_server *server)
{
    jz_server_destroy(server);
    assert_int_equal(recorder->errors, 0);
    assert_int_equal(recorder->stops, recorder->starts);
    assert_int_equal(recorder->topic_count + recorder->topics.table.count, 0);
    topic_set_clear(&recorder->topics);
    pthread_mutex_destroy(&recorder->lock);
}

static void open_client(test_client *client, const jz_server *server)
{
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

static jz_send_status say(test_client *client, const char *text)
{
    const size_t length = strlen(text);
    const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, length, length}};
    test_client_send_frame(client, &frame);
    test_client_expect(client, JZ_OPCODE_BINARY, "done", 4);
    return last_status;
}

static void joining_is_refused_where_it_makes_no_sense(void **state)
{
    (void)state;
    recorder recorder = {0};
    const jz_broker whole = broker_of(&recorder);
    jz_error error = {0};
    jz_server *server = jz_server_create(NULL, &error);
    jz_broker parts[5] = {whole, whole, whole, whole, whole};
    parts[0].start = NULL;
    parts[1].stop = NULL;
    parts[2].subscribe = NULL;
    parts[3].unsubscribe = NULL;
    parts[4].publish = NULL;
    static const char *const names[] = {"start", "stop", "subscribe", "unsubscribe", "publish"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char message[128];
        snprintf(message, sizeof message, "cannot join: the broker's %s is NULL; it needs all of them", names[i]);
        assert_int_equal(jz_server_join(server, &parts[i], &error), JZ_STATUS_INVALID_OPTION);
        assert_string_equal(error.message, message);
    }
    assert_int_equal(jz_server_join(server, NULL, NULL), JZ_STATUS_INVALID_OPTION);
    test_allocations_fail_after(0);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_OUT_OF_MEMORY);
    test_allocations_succeed();
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_OK);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_INVALID_STATE);
    assert_string_equal(error.message, "cannot join: the server has a broker, and takes one only");
    jz_server_destroy(server); /* it never ran: the broker was neither started nor stopped */
    assert_int_equal(recorder.starts + recorder.stops, 0);

    const jz_options options = serving_options(1);
    server = serving_start(&options, &(serving_route){"/", obey, NULL, NULL}, 1);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_INVALID_STATE);
    assert_string_equal(error.message, "cannot join: do it before the server runs");
    jz_broker_set_joined(server, false); /* nothing, without a broker */
    jz_server_destroy(server);
}

static void a_server_whose_broker_cannot_start_does_not_run(void **state)
{
    (void)state;
    recorder recorder = {.start_status = JZ_STATUS_SYSTEM, .start_message = "redis.example:6379: connection refused"};
    jz_error error = {0};
    jz_server *server = create(&recorder, NULL);
    assert_int_equal(jz_server_start(server, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "redis.example:6379: connection refused");
    assert_int_equal(error.status, JZ_STATUS_SYSTEM);
    recorder.start_message = "";
    assert_int_equal(jz_server_run(server, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "the broker could not be started, and does not say why");
    assert_int_equal(jz_server_run(server, NULL), JZ_STATUS_SYSTEM);
    assert_int_equal(recorder.stops, 0);
    recorder.start_status = JZ_OK;
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    test_client client;
    open_client(&client, server);
    assert_int_equal(say(&client, "+news"), JZ_SEND_SENT);
    assert_int_equal(recorder.topic_count, 1);
    test_client_close(&client);
    finish(&recorder, server);
}

static void the_broker_is_told_of_topics_and_publications_and_stopped_after_the_last(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = create(&recorder, NULL);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "early", 5), JZ_SEND_SENT);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    test_client clients[2]; /* one on each loop */
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        open_client(&clients[i], server);
        assert_int_equal(say(&clients[i], "+news"), JZ_SEND_SENT);
        assert_int_equal(recorder.topic_count, 1);
    }
    assert_int_equal(say(&clients[0], "news"), JZ_SEND_SENT);
    test_client_expect(&clients[1], JZ_OPCODE_TEXT, "news", 4);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_int_equal(recorder.publications, 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "x", 1);
    /* What nobody gets here is not handed on. */
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_PING, "x", 1), JZ_SEND_DROPPED);
    assert_int_equal(recorder.publications, 2);
    assert_int_equal(say(&clients[0], "-news"), JZ_SEND_SENT);
    assert_int_equal(recorder.topic_count, 1);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 1);
    assert_int_equal(statistics.broker.topics, 1);
    assert_int_equal(statistics.broker.published, 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(recorder.stops, 1);
    assert_int_equal(recorder.publications, 4); /* each client's close event has published */
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 0);
    assert_int_equal(statistics.broker.topics, 0);
    finish(&recorder, server);
}

static void what_is_delivered_goes_to_subscribers_here_and_never_back(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = run(&recorder, NULL);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "nobody", 6), JZ_SEND_SENT);
    test_client clients[3];
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        open_client(&clients[i], server);
        say(&clients[i], i < 2 ? "+news" : "+other");
    }
    char text[8];
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(
            jz_broker_deliver(server, TOPIC, i % 2 == 0 ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY, text, (size_t)length),
            JZ_SEND_SENT);
    }
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_PONG, text, 1), JZ_SEND_DROPPED);
    assert_int_equal(jz_broker_deliver(server, NULL, 0, JZ_MESSAGE_BINARY, NULL, 0), JZ_SEND_SENT);
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof text, "%d", i);
        for (size_t j = 0; j < 2; j++)
            test_client_expect(&clients[j], i % 2 == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY, text, (size_t)length);
    }
    say(&clients[2], "-other"); /* and nothing before the answer */
    assert_int_equal(recorder.publications, 0);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.delivered, 102);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    finish(&recorder, server);
}

static void what_the_broker_does_not_take_is_dropped_though_subscribers_here_have_it(void **state)
{
    (void)state;
    static const struct {
        jz_send_status broker;
        jz_send_status told;
    } cases[] = {{JZ_SEND_SENT, JZ_SEND_SENT},
                 {JZ_SEND_QUEUED, JZ_SEND_SENT},
                 {JZ_SEND_DROPPED, JZ_SEND_DROPPED},
                 {JZ_SEND_CLOSED, JZ_SEND_DROPPED}};
    recorder recorder = {0};
    jz_server *server = run(&recorder, NULL);
    test_client sender;
    test_client receiver;
    open_client(&sender, server);
    open_client(&receiver, server);
    say(&receiver, "+news");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        recorder.publish_status = cases[i].broker;
        assert_int_equal(say(&sender, "news"), cases[i].told);
        test_client_expect(&receiver, JZ_OPCODE_TEXT, "news", 4);
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), cases[i].told);
        test_client_expect(&receiver, JZ_OPCODE_TEXT, "x", 1);
    }
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.published, 4);
    assert_int_equal(statistics.broker.refused, 4);
    assert_int_equal(statistics.dropped, 0);
    test_client_close(&sender);
    test_client_close(&receiver);
    finish(&recorder, server);
}

static void when_the_others_are_lost_and_found_is_told_once_each(void **state)
{
    (void)state;
    enum { TOPICS = 50 };
    static const char lost[] =
        "the broker does not reach the other servers: topics reach subscribers here only until it does";
    static const char found[] =
        "the broker reaches the other servers: it was told the 50 topics that have subscribers here";
    recorder recorder = {0};
    log_lines log;
    jz_options options = serving_options(2);
    log_lines_begin(&log, &options);
    jz_server *server = run(&recorder, &options);
    test_client client;
    open_client(&client, server);
    char name[16];
    for (int i = 0; i < TOPICS; i++) {
        snprintf(name, sizeof name, "+topic %d", i);
        say(&client, name);
    }
    jz_statistics statistics;
    for (uint64_t round = 1; round <= 3; round++) {
        jz_broker_set_joined(server, true); /* it is */
        jz_broker_set_joined(server, false);
        jz_broker_set_joined(server, false);
        jz_server_statistics(server, &statistics);
        assert_int_equal(statistics.broker.joined, 0);
        assert_int_equal(statistics.broker.losses, round);
        topic_set_clear(&recorder.topics); /* it forgets them, and is told them all again */
        recorder.topic_count = 0;
        jz_broker_set_joined(server, true);
        assert_int_equal(recorder.topic_count, TOPICS);
        jz_server_statistics(server, &statistics);
        assert_int_equal(statistics.broker.joined, 1);
        assert_int_equal(log.count, 2 * round);
        log_lines_expect(&log, 2 * round - 2, JZ_LOG_WARNING, lost);
        log_lines_expect(&log, 2 * round - 1, JZ_LOG_INFO, found);
    }
    test_client_close(&client);
    jz_server_stop(server);
    jz_server_wait(server);
    jz_broker_set_joined(server, false); /* nothing, after the end */
    assert_int_equal(log.count_of_level[JZ_LOG_WARNING], 3);
    finish(&recorder, server);
}

static void after_the_end_nothing_is_delivered_and_nothing_handed_on(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = run(&recorder, NULL);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(recorder.publications, 0);
    finish(&recorder, server);
}

/* A broker that delivers within its own functions, whatever these were called under. */
static void deliver_within(recorder *recorder)
{
    jz_send_status status = jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_BINARY, "echo", 4);
    recorder->delivered += status == JZ_SEND_SENT ? 1 : 0;
}

static void a_broker_may_deliver_within_its_functions(void **state)
{
    (void)state;
    recorder recorder = {.within = deliver_within};
    jz_server *server = run(&recorder, NULL);
    test_client clients[2];
    open_client(&clients[0], server);
    test_client_send_frame(&clients[0], &(test_frame)TEXT("+news"));
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4); /* of its own subscription, and before what is sent */
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "done", 4);
    open_client(&clients[1], server);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("+other"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("news"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_TEXT, "news", 4); /* before what came of it */
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("-other"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    assert_int_equal(recorder.delivered, 4);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    finish(&recorder, server);
}

/* One that delivers, within one call and so on a loop's own thread, more than a mailbox takes. */
static void flood_within(recorder *recorder)
{
    static const uint8_t payload[1000];
    for (size_t i = 0; i < 1000; i++) {
        jz_send_status status = jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_BINARY, payload, sizeof payload);
        recorder->delivered += status == JZ_SEND_SENT ? 1 : 0;
        recorder->dropped += status == JZ_SEND_DROPPED ? 1 : 0;
    }
}

static void more_than_a_mailbox_takes_is_dropped_and_counted(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, MOST = LIMIT / 1000 + 1 };
    recorder recorder = {.within = flood_within};
    jz_options options = serving_options(1);
    options.mailbox_limit = LIMIT;
    jz_server *server = run(&recorder, &options);
    test_client client;
    open_client(&client, server);
    test_client_send_frame(&client, &(test_frame)TEXT("+news"));
    assert_eventually(recorder.delivered + recorder.dropped == 1000);
    assert_true(recorder.delivered > MOST / 2 && recorder.delivered <= MOST);
    assert_int_equal(jz_server_dropped_count(server), recorder.dropped);
    static const uint8_t payload[1000];
    for (size_t i = 0; i < recorder.delivered; i++)
        test_client_expect(&client, JZ_OPCODE_BINARY, payload, sizeof payload);
    test_client_expect(&client, JZ_OPCODE_BINARY, "done", 4);
    recorder.within = NULL;
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "room", 4), JZ_SEND_SENT);
    test_client_expect(&client, JZ_OPCODE_TEXT, "room", 4);
    test_client_close(&client);
    finish(&recorder, server);
}

static void without_memory_for_it_a_subscription_is_dropped_and_the_broker_not_told(void **state)
{
    (void)state;
    enum { MOST = 16 };
    recorder recorder = {.has_no_memory = true};
    jz_server *server = run(&recorder, NULL);
    test_client client;
    open_client(&client, server);
    size_t dropped = 0;
    for (fail_after = 0; fail_after < MOST; fail_after++) {
        jz_send_status status = say(&client, "+news");
        assert_int_equal(jz_server_subscriber_count(server, TOPIC), status == JZ_SEND_SENT ? 1 : 0);
        assert_int_equal(recorder.topic_count, status == JZ_SEND_SENT ? 1 : 0);
        dropped += status == JZ_SEND_DROPPED ? 1 : 0;
        if (status == JZ_SEND_SENT)
            break;
    }
    assert_int_equal(last_status, JZ_SEND_SENT);
    assert_true(dropped >= 3);
    fail_after = SIZE_MAX;
    test_client_close(&client);
    finish(&recorder, server);
}

/* Threads that deliver and publish until that is over. */
typedef struct persistent {
    jz_server *server;
    atomic_bool is_enough;
    atomic_size_t rounds;
} persistent;

static void *deliver_until_closed(void *context)
{
    persistent *persistent = context;
    while (!persistent->is_enough &&
           jz_broker_deliver(persistent->server, TOPIC, JZ_MESSAGE_TEXT, "x", 1) != JZ_SEND_CLOSED)
        persistent->rounds++;
    return NULL;
}

static void *publish_for_ever(void *context)
{
    persistent *persistent = context;
    while (!persistent->is_enough) {
        jz_server_publish(persistent->server, TOPIC, JZ_MESSAGE_TEXT, "x", 1);
        persistent->rounds++;
    }
    return NULL;
}

static void a_server_may_end_while_others_deliver_and_publish(void **state)
{
    (void)state;
    enum { ROUNDS = 10, THREADS = 4 };
    for (size_t round = 0; round < ROUNDS; round++) {
        recorder recorder = {0};
        jz_options options = serving_options(2);
        options.mailbox_limit = 64 * 1024;
        jz_server *server = run(&recorder, &options);
        test_client client;
        open_client(&client, server);
        say(&client, "+news");
        persistent persistent = {.server = server};
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(
                pthread_create(&threads[i], NULL, i % 2 == 0 ? deliver_until_closed : publish_for_ever, &persistent),
                0);
        assert_eventually(persistent.rounds > 50);
        test_client_close(&client);
        jz_server_stop(server);
        jz_server_wait(server);
        size_t publications = recorder.publications;
        size_t rounds = persistent.rounds;
        assert_eventually(persistent.rounds > rounds + 50);
        assert_int_equal(recorder.publications, publications);
        persistent.is_enough = true;
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        finish(&recorder, server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_is_refused_where_it_makes_no_sense),
        cmocka_unit_test(a_server_whose_broker_cannot_start_does_not_run),
        cmocka_unit_test(the_broker_is_told_of_topics_and_publications_and_stopped_after_the_last),
        cmocka_unit_test(what_is_delivered_goes_to_subscribers_here_and_never_back),
        cmocka_unit_test(what_the_broker_does_not_take_is_dropped_though_subscribers_here_have_it),
        cmocka_unit_test(when_the_others_are_lost_and_found_is_told_once_each),
        cmocka_unit_test(after_the_end_nothing_is_delivered_and_nothing_handed_on),
        cmocka_unit_test(a_broker_may_deliver_within_its_functions),
        cmocka_unit_test(more_than_a_mailbox_takes_is_dropped_and_counted),
        cmocka_unit_test(without_memory_for_it_a_subscription_is_dropped_and_the_broker_not_told),
        cmocka_unit_test(a_server_may_end_while_others_deliver_and_publish),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("broker", tests, NULL, NULL));
}
