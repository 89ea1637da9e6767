/* When a broker is told that what was published is all for now. */
#define _DEFAULT_SOURCE

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/frame_header.h"
#include "support/eventually.h"
#include "support/recorder.h"
#include "support/testing.h"
#include "support/serving.h"

#define TOPIC "news", 4

enum { MOST_CALLS = 64 };

/* What the broker was called, in its order: 'p' for publish, 'f' for flush. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char calls[MOST_CALLS];
static size_t call_count;
static atomic_size_t unflushed;
static atomic_bool was_flushed_by_another;
static pthread_t last_publisher;
static _Atomic(recorder_act) within_flush;
static atomic_bool holds;

static void note(char call)
{
    pthread_mutex_lock(&lock);
    if (call_count < MOST_CALLS - 1)
        calls[call_count++] = call;
    if (call == 'p')
        last_publisher = pthread_self();
    else
        was_flushed_by_another = !pthread_equal(last_publisher, pthread_self());
    unflushed = call == 'p' ? unflushed + 1 : 0;
    pthread_mutex_unlock(&lock);
}

static jz_send_status publish(void *context, jz_ws except, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    recorder *recorder = context;
    (void)except;
    (void)topic;
    (void)topic_length;
    (void)kind;
    (void)bytes;
    (void)length;
    note('p');
    recorder->publications++;
    return recorder->publish_status;
}

static void flush(void *context)
{
    note('f');
    test_hold_while(holds);
    recorder_act within = within_flush;
    if (within != NULL)
        within(context);
}

static void grow(jz_broker *broker)
{
    broker->publish = NULL;
    broker->publish_except = publish;
    broker->flush = flush;
}

/* So that the calls are those of a test alone. */
static void forget_calls(void)
{
    pthread_mutex_lock(&lock);
    memset(calls, 0, sizeof calls);
    call_count = 0;
    pthread_mutex_unlock(&lock);
}

static void assert_calls(const char *expected)
{
    assert_eventually(unflushed == 0);
    pthread_mutex_lock(&lock);
    assert_string_equal(calls, expected);
    pthread_mutex_unlock(&lock);
}

/* For each message as many publications as it has bytes, and an answer. */
static void publish_often(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    for (size_t i = 0; i < message->length; i++)
        jz_ws_publish(ws, TOPIC, JZ_MESSAGE_TEXT, message->bytes + i, 1);
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
}

typedef struct stage {
    recorder recorder;
    jz_server *server;
    test_client speaker; /* of /often, or /worker */
    test_client listener;
} stage;

static void open_stage(stage *stage, const char *request, uint32_t loops)
{
    memset(stage, 0, sizeof *stage);
    holds = false;
    within_flush = NULL;
    unflushed = 0;
    const jz_options options = serving_options(loops);
    jz_route_options worker = jz_route_options_default();
    worker.execution = JZ_EXECUTION_WORKERS;
    stage->recorder.grow = grow;
    stage->server = recorder_create(&stage->recorder, &options);
    assert_int_equal(jz_server_route_ws(stage->server, "/often", NULL, publish_often, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(stage->server, "/worker", &worker, publish_often, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_start(stage->server, NULL), JZ_OK);
    recorder_open(&stage->listener, stage->server);
    recorder_say(&stage->recorder, &stage->listener, "+news");
    assert_true(test_client_open(&stage->speaker, jz_server_port(stage->server), request));
    forget_calls();
}

static void close_stage(stage *stage)
{
    test_client_close(&stage->speaker);
    test_client_close(&stage->listener);
    recorder_finish(&stage->recorder, stage->server);
    assert_int_equal(unflushed, 0); /* what close events have published, too */
}

static void speak(stage *stage, const char *text)
{
    const size_t length = strlen(text);
    const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, length, length}};
    test_client_send_frame(&stage->speaker, &frame);
    test_client_expect(&stage->speaker, JZ_OPCODE_BINARY, "done", 4);
}

static void hear(stage *stage, const char *text)
{
    for (; *text != '\0'; text++)
        test_client_expect(&stage->listener, JZ_OPCODE_TEXT, text, 1);
}

static void a_broker_is_flushed_once_for_all_that_an_iteration_publishes(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 2);
    speak(&stage, "abc");
    assert_calls("pppf");
    speak(&stage, "d");
    assert_calls("pppfpf");
    assert_false(was_flushed_by_another);
    hear(&stage, "abcd");
    close_stage(&stage);
}

static void whoever_publishes_nothing_flushes_nothing(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 1);
    for (int i = 0; i < 10; i++) {
        speak(&stage, "");
        recorder_say(&stage.recorder, &stage.listener, i % 2 == 0 ? "-news" : "+news");
        assert_int_equal(jz_broker_deliver(stage.server, "other", 5, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
        assert_int_equal(jz_server_publish(stage.server, TOPIC, JZ_MESSAGE_PING, "x", 1), JZ_SEND_DROPPED);
    }
    assert_calls("");
    close_stage(&stage);
}

/* The broker is still within its flush when the listener has its messages. */
static void subscribers_here_do_not_wait_for_the_broker(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 1);
    holds = true;
    speak(&stage, "abc");
    hear(&stage, "abc");
    holds = false;
    assert_calls("pppf");
    close_stage(&stage);
}

static void other_threads_flush_at_once(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/worker"), 2);
    speak(&stage, "abc");
    assert_calls("pfpfpf");
    assert_false(was_flushed_by_another);
    assert_int_equal(jz_server_publish(stage.server, TOPIC, JZ_MESSAGE_TEXT, "d", 1), JZ_SEND_SENT);
    assert_calls("pfpfpfpf");
    assert_false(was_flushed_by_another);
    hear(&stage, "abcd");
    close_stage(&stage);
}

static void what_the_broker_refuses_is_flushed_too(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 1);
    stage.recorder.publish_status = JZ_SEND_DROPPED;
    speak(&stage, "ab");
    assert_calls("ppf");
    assert_int_equal(jz_server_publish(stage.server, TOPIC, JZ_MESSAGE_TEXT, "c", 1), JZ_SEND_DROPPED);
    assert_calls("ppfpf");
    hear(&stage, "abc");
    close_stage(&stage);
}

/* The close events of a stop publish, in its last iterations, and so do those of connections that are cut off. */
static void what_is_published_while_the_server_ends_is_flushed_before_the_broker_stops(void **state)
{
    (void)state;
    static stage stage;
    for (int way = 0; way < 3; way++) {
        open_stage(&stage, UPGRADE_REQUEST("/often"), 2);
        if (way == 0)
            jz_server_stop_within(stage.server, 0);
        else if (way == 1)
            jz_server_stop(stage.server);
        else
            jz_server_drain(stage.server, 1000);
        test_client_close(&stage.listener);
        test_client_close(&stage.speaker);
        jz_server_wait(stage.server);
        assert_int_equal(stage.recorder.stops, 1);
        assert_calls("pf"); /* the listener's close event */
        recorder_finish(&stage.recorder, stage.server);
    }
}

/* As other code does by mistake: of this process's polls, of which there is one. */
static void close_poll(void)
{
    char link[32];
    char target[32];
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, target, sizeof target);
        if (length > 0 && strncmp(target, "anon_inode:[eventpoll]", (size_t)length) == 0)
            assert_int_equal(syscall(SYS_close, descriptor), 0);
    }
}

/* The poll fails for good, and connections are ended outside of any iteration. */
static void what_a_loop_that_fails_publishes_is_flushed(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 1);
    close_poll();
    (void)jz_broker_deliver(stage.server, "none", 4, JZ_MESSAGE_TEXT, "x", 1); /* so that it looks, if it sleeps */
    jz_server_wait(stage.server);
    assert_calls("pf");
    test_client_close(&stage.speaker);
    test_client_close(&stage.listener);
    recorder_finish(&stage.recorder, stage.server);
}

static void deliver_within(recorder *recorder)
{
    jz_send_status status = jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_BINARY, "echo", 4);
    recorder->delivered += status == JZ_SEND_SENT ? 1 : 0;
}

static void a_broker_may_deliver_while_it_is_flushed(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 2);
    within_flush = deliver_within;
    for (int i = 0; i < 10; i++) {
        speak(&stage, "ab");
        hear(&stage, "ab");
        test_client_expect(&stage.listener, JZ_OPCODE_BINARY, "echo", 4);
    }
    assert_eventually(stage.recorder.delivered == 10); /* counted when the message is on its way */
    within_flush = NULL;
    close_stage(&stage);
}

/* The loop of one server publishes on another, of which it is no loop. */
static void publish_there(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    jz_server_publish(context, TOPIC, JZ_MESSAGE_TEXT, message->bytes, message->length);
    jz_server_publish(context, TOPIC, JZ_MESSAGE_TEXT, message->bytes, message->length);
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
}

static void the_loop_of_another_server_flushes_at_once(void **state)
{
    (void)state;
    static stage stage;
    open_stage(&stage, UPGRADE_REQUEST("/often"), 1);
    const jz_options options = serving_options(1);
    jz_server *other = serving_start(&options, &(serving_route){"/", publish_there, stage.server, NULL}, 1);
    test_client client;
    recorder_open(&client, other);
    test_client_send_frame(&client, &(test_frame)TEXT("a"));
    test_client_expect(&client, JZ_OPCODE_BINARY, "done", 4);
    assert_calls("pfpf");
    hear(&stage, "aa");
    test_client_close(&client);
    jz_server_destroy(other);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_is_flushed_once_for_all_that_an_iteration_publishes),
        cmocka_unit_test(whoever_publishes_nothing_flushes_nothing),
        cmocka_unit_test(subscribers_here_do_not_wait_for_the_broker),
        cmocka_unit_test(other_threads_flush_at_once),
        cmocka_unit_test(what_the_broker_refuses_is_flushed_too),
        cmocka_unit_test(what_is_published_while_the_server_ends_is_flushed_before_the_broker_stops),
        cmocka_unit_test(what_a_loop_that_fails_publishes_is_flushed),
        cmocka_unit_test(a_broker_may_deliver_while_it_is_flushed),
        cmocka_unit_test(the_loop_of_another_server_flushes_at_once),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("flushing a broker", tests, NULL, NULL));
}
