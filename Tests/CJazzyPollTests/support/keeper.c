#define _POSIX_C_SOURCE 200809L

#include "keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "eventually.h"
#include "serving.h"
#include "testing.h"

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    (void)context;
    (void)server;
    (void)error;
    return JZ_OK;
}

static void stop(void *context)
{
    (void)context;
}

static void note_first(void *context, const char *name, size_t length)
{
    keeper *keeper = context;
    (void)name;
    (void)length;
    int wanted = ++keeper->wanted;
    if (wanted > keeper->most)
        keeper->most = wanted;
}

static void note_last(void *context, const char *name, size_t length)
{
    keeper *keeper = context;
    (void)name;
    (void)length;
    keeper->wanted--;
}

/* With the lock held. */
static jz_send_status deliver(keeper *keeper, jz_ws except, uint64_t offset)
{
    const char *text = keeper->texts[offset];
    return jz_broker_deliver_kept(keeper->server, NULL, except, KEEPER_TOPIC, JZ_MESSAGE_TEXT, text, strlen(text),
                                  (jz_position){keeper->epoch, offset});
}

static void keep(keeper *keeper, jz_ws except, const char *text, size_t length)
{
    pthread_mutex_lock(&keeper->lock);
    if (++keeper->newest >= KEEPER_MOST || length >= KEEPER_LONGEST)
        abort();
    memcpy(keeper->texts[keeper->newest], text, length);
    keeper->texts[keeper->newest][length] = '\0';
    if (!keeper->is_deaf)
        deliver(keeper, except, keeper->newest);
    pthread_mutex_unlock(&keeper->lock);
}

static jz_send_status publish_kept(void *context, jz_ws except, const char *topic, size_t topic_length,
                                   const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                   size_t length)
{
    keeper *keeper = context;
    if (keeper->is_refusing)
        return JZ_SEND_DROPPED;
    if (topic_length != 6 || memcmp(topic, "room/7", 6) != 0 || history->keep == 0 || kind != JZ_MESSAGE_TEXT)
        abort();
    keep(keeper, except, bytes, length);
    return JZ_SEND_QUEUED;
}

static jz_send_status publish(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    (void)context;
    (void)topic;
    (void)topic_length;
    (void)kind;
    (void)bytes;
    (void)length;
    return JZ_SEND_QUEUED;
}

static bool fetch(void *context, const char *topic, size_t topic_length, const jz_history_options *history,
                  uint64_t number)
{
    keeper *keeper = context;
    (void)topic;
    if (topic_length != 6 || history->keep == 0)
        abort();
    keeper->number = number;
    keeper->fetches++;
    return !keeper->is_unfetching;
}

static void subscribe(keeper *keeper, jz_ws ws, jz_subscribe_options options)
{
    jz_subscribed subscribed = {0};
    options.announces = true;
    jz_send_status status = jz_ws_subscribe_from(ws, KEEPER_TOPIC, &options, &subscribed);
    keeper->refused += status > JZ_SEND_QUEUED ? 1 : 0;
    keeper->pending += subscribed.is_pending ? 1 : 0;
}

static void hold(keeper *keeper)
{
    keeper->holds = true;
    test_hold_while(!keeper->is_let_go);
}

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    keeper *keeper = context;
    const char *text = (const char *)message->bytes;
    if (event->type != JZ_EVENT_MESSAGE || message->length == 0)
        return;
    jz_subscribe_options options = {0};
    options.has_since = jz_position_parse(text + 1, message->length - 1, &options.since);
    if (text[0] == 'r')
        options.recent = (size_t)(text[1] - '0');
    options.envelops = text[0] == 'e';
    if (text[0] == '?' || text[0] == 'r' || text[0] == 'e')
        subscribe(keeper, ws, options);
    else if (text[0] == 'h')
        hold(keeper);
    else if (text[0] == '+')
        jz_ws_subscribe(ws, KEEPER_TOPIC);
    else if (text[0] == '-')
        jz_ws_unsubscribe(ws, KEEPER_TOPIC);
    else
        keeper->published = jz_ws_publish(ws, KEEPER_TOPIC, JZ_MESSAGE_TEXT, text + 1, message->length - 1);
    keeper->speaker = ws.value;
    keeper->handled++;
}

void keeper_open(keeper *keeper, const jz_options *options, const jz_history_options *kept)
{
    jz_options own = serving_options(2);
    own.log_level = JZ_LOG_ERROR;
    *keeper = (struct keeper){.epoch = 0x1234};
    pthread_mutex_init(&keeper->lock, NULL);
    const jz_broker broker = {.context = keeper,
                              .start = start,
                              .stop = stop,
                              .subscribe = note_first,
                              .unsubscribe = note_last,
                              .publish = publish,
                              .publish_kept = publish_kept,
                              .fetch = fetch};
    keeper->server = serving_start_with_history(options != NULL ? options : &own, &broker, kept,
                                                &(serving_route){"/", handle, keeper, NULL});
    keeper->port = jz_server_port(keeper->server);
}

void keeper_close(keeper *keeper)
{
    jz_server_destroy(keeper->server);
    assert_int_equal(keeper->wanted, 0);
    assert_true(keeper->most <= 1);
    pthread_mutex_destroy(&keeper->lock);
}

void keeper_connect(keeper *keeper, test_client *client)
{
    assert_true(test_client_open(client, keeper->port, UPGRADE_REQUEST("/")));
}

void keeper_come(keeper *keeper, test_client *client, const char *what)
{
    keeper_connect(keeper, client);
    keeper_say(keeper, client, what);
}

void keeper_come_back(keeper *keeper, test_client *client, jz_position since)
{
    char text[1 + JZ_POSITION_SIZE] = "?";
    jz_position_format(since, text + 1);
    keeper_come(keeper, client, text);
}

void keeper_say(keeper *keeper, test_client *client, const char *what)
{
    size_t before = keeper->handled;
    keeper_tell(client, what);
    assert_eventually(keeper->handled > before);
}

void keeper_tell(test_client *client, const char *what)
{
    test_client_send_frame(
        client, &(test_frame){.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {what, strlen(what), strlen(what)}});
}

void keeper_publish(keeper *keeper, const char *text)
{
    keep(keeper, (jz_ws){0}, text, strlen(text));
}

jz_send_status keeper_deliver(keeper *keeper, uint64_t offset)
{
    pthread_mutex_lock(&keeper->lock);
    jz_send_status status = deliver(keeper, (jz_ws){0}, offset);
    pthread_mutex_unlock(&keeper->lock);
    return status;
}

void keeper_begin_anew(keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->epoch++;
    keeper->newest = 0;
    pthread_mutex_unlock(&keeper->lock);
}

jz_position keeper_end(keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    jz_position end = {keeper->epoch, keeper->newest};
    pthread_mutex_unlock(&keeper->lock);
    return end;
}

void keeper_await_fetch(keeper *keeper, size_t number)
{
    assert_eventually(keeper->fetches >= number);
    assert_int_equal(keeper->fetches, number);
}

void keeper_answer_to(keeper *keeper, uint64_t number, uint64_t newest, size_t count)
{
    jz_broker_kept_message messages[KEEPER_MOST];
    if (count > newest)
        count = newest;
    for (size_t i = 0; i < count; i++) {
        const char *text = keeper->texts[newest - count + 1 + i];
        messages[i] = (jz_broker_kept_message){.kind = JZ_MESSAGE_TEXT, .bytes = text, .length = strlen(text)};
    }
    const jz_broker_kept kept = {.newest = {keeper->epoch, newest}, .count = count, .messages = messages};
    jz_broker_fetched(keeper->server, KEEPER_TOPIC, number, &kept);
}

void keeper_answer(keeper *keeper)
{
    keeper_answer_to(keeper, keeper->number, keeper_end(keeper).offset, KEEPER_MOST);
}

void keeper_fail(keeper *keeper)
{
    jz_broker_fetched(keeper->server, KEEPER_TOPIC, keeper->number, &(jz_broker_kept){.is_failed = true});
}

jz_position keeper_expect_begin(test_client *client, const char *recovered, size_t count)
{
    char text[160] = "";
    char epoch[17];
    char given[6];
    unsigned long long offset;
    size_t given_count;
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_true(frame.opcode == JZ_OPCODE_TEXT && frame.length < sizeof text);
    memcpy(text, frame.payload, frame.length);
    assert_int_equal(sscanf(text, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%5[a-z],\"count\":%zu}",
                            epoch, &offset, given, &given_count),
                     4);
    assert_string_equal(given, recovered);
    assert_int_equal(given_count, count);
    return (jz_position){strtoull(epoch, NULL, 16), offset};
}

void keeper_expect(test_client *client, const char *text)
{
    test_client_expect(client, JZ_OPCODE_TEXT, text, strlen(text));
}

void keeper_expect_gap(test_client *client)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_true(frame.length > 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
    test_client_close(client);
}
