#include "recorder.h"

#include <stdio.h>

#include "allocation.h"
#include "codec/frame_header.h"
#include "serving.h"
#include "testing.h"

static void begin_call(recorder *recorder)
{
    recorder->calls_under_way++;
    recorder->errors += recorder->starts == recorder->stops + 1 ? 0 : 1;
}

static void end_call(recorder *recorder)
{
    recorder_act within = recorder->within;
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
    if (recorder->is_lost_at_first)
        jz_broker_set_joined(server, false);
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

jz_broker recorder_broker(recorder *recorder)
{
    jz_broker broker = {.context = recorder,
                        .start = start,
                        .stop = stop,
                        .subscribe = subscribe,
                        .unsubscribe = unsubscribe,
                        .publish = publish};
    if (recorder->grow != NULL)
        recorder->grow(&broker);
    return broker;
}

static void obey(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    recorder *recorder = context;
    if (event->type == JZ_EVENT_CLOSE)
        jz_ws_publish(ws, "news", 4, JZ_MESSAGE_TEXT, "left", 4);
    if (event->type != JZ_EVENT_MESSAGE || message->length == 0)
        return;
    const char *text = (const char *)message->bytes;
    recorder->last_speaker = ws;
    if (text[0] == '+') {
        test_allocations_fail_after(recorder->fail_after);
        recorder->last_status = jz_ws_subscribe(ws, text + 1, message->length - 1);
        test_allocations_succeed();
    } else if (text[0] == '-') {
        recorder->last_status = jz_ws_unsubscribe(ws, text + 1, message->length - 1);
    } else {
        recorder->last_status =
            jz_ws_publish(ws, text, message->length, message->kind, message->bytes, message->length);
    }
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
}

jz_server *recorder_create(recorder *recorder, const jz_options *options)
{
    jz_error error = {0};
    const jz_options defaults = serving_options(2);
    recorder->fail_after = SIZE_MAX;
    topic_set_init(&recorder->topics);
    assert_int_equal(pthread_mutex_init(&recorder->lock, NULL), 0);
    jz_server *server = jz_server_create(options != NULL ? options : &defaults, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, obey, recorder, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    const jz_broker broker = recorder_broker(recorder);
    assert_that(jz_server_join(server, &broker, &error) == JZ_OK, "%s", error.message);
    return server;
}

jz_server *recorder_run(recorder *recorder, const jz_options *options)
{
    jz_error error = {0};
    jz_server *server = recorder_create(recorder, options);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    return server;
}

void recorder_finish(recorder *recorder, jz_server *server)
{
    jz_server_destroy(server);
    assert_int_equal(recorder->errors, 0);
    assert_int_equal(recorder->stops, recorder->starts);
    assert_int_equal(recorder->topic_count + recorder->topics.table.count, 0);
    topic_set_clear(&recorder->topics);
    pthread_mutex_destroy(&recorder->lock);
}

void recorder_open(test_client *client, const jz_server *server)
{
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

jz_send_status recorder_say(recorder *recorder, test_client *client, const char *text)
{
    const size_t length = strlen(text);
    const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, length, length}};
    test_client_send_frame(client, &frame);
    test_client_expect(client, JZ_OPCODE_BINARY, "done", 4);
    return recorder->last_status;
}
