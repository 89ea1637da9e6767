#define _POSIX_C_SOURCE 200809L

#include "support/node.h"

#include <stdio.h>

#include "support/eventually.h"
#include "support/serving.h"

static void append(node *node, char *text, const char *added, size_t length)
{
    pthread_mutex_lock(&node->lock);
    size_t before = strlen(text);
    if (before + length + 2 < NODE_TEXT_SIZE) {
        memcpy(text + before, added, length);
        memcpy(text + before + length, " ", 2);
    }
    pthread_mutex_unlock(&node->lock);
}

static void on_gap(void *context, const char *topic, size_t length)
{
    node *node = context;
    append(node, node->gaps, topic, length);
    atomic_fetch_add(&node->gap_count, 1);
}

static void on_log(void *context, jz_log_level level, const char *line)
{
    node *node = context;
    (void)level;
    append(node, node->log, line, strlen(line));
}

static void block(node *node)
{
    atomic_store(&node->is_blocked, true);
    test_hold_while(atomic_load(&node->is_blocked));
    atomic_store(&node->is_blocked, false); /* as it says, where a test has not found what it waits for */
}

/* "topic", or "topic since". */
static void continue_from(jz_ws ws, const char *text, size_t length)
{
    jz_subscribe_options options = {.announces = true};
    const char *space = memchr(text, ' ', length);
    size_t topic = space != NULL ? (size_t)(space - text) : length;
    if (space != NULL)
        options.has_since = jz_position_parse(space + 1, length - topic - 1, &options.since);
    jz_ws_subscribe_from(ws, text, topic, &options, NULL);
}

static void on_event(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    const char *text = (const char *)message->bytes;
    const char *sign = memchr(text, '=', message->length);
    if (text[0] == '@') {
        continue_from(ws, text + 1, message->length - 1);
    } else if (text[0] == '+' || text[0] == '-') {
        if (text[0] == '+')
            jz_ws_subscribe(ws, text + 1, message->length - 1);
        else
            jz_ws_unsubscribe(ws, text + 1, message->length - 1);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, text, message->length);
    } else if (sign != NULL) {
        size_t topic = (size_t)(sign - text);
        jz_ws_publish(ws, text, topic, message->kind, sign + 1, message->length - topic - 1);
    }
    if (message->length > 0 && text[message->length - 1] == '!')
        block(context);
}

jz_redis_options node_options(node *node, const char *url)
{
    jz_redis_options options = jz_redis_options_default();
    options.url = url;
    options.probe_interval_ms = 200;
    options.probe_timeout_ms = 20000; /* longer than what a busy machine needs for anything */
    options.backoff_least_ms = 1;
    options.backoff_most_ms = 50;
    options.linger_ms = 200;
    options.on_gap = on_gap;
    options.gap_context = node;
    options.log = on_log;
    options.log_context = node;
    return options;
}

static void no_log(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

jz_status node_try(node *node, const jz_redis_options *options, jz_error *error)
{
    jz_options server_options = serving_options(2);
    server_options.log = no_log;
    if (node->mailbox_limit > 0)
        server_options.mailbox_limit = node->mailbox_limit;
    pthread_mutex_init(&node->lock, NULL);
    node->gaps[0] = node->log[0] = '\0';
    atomic_store(&node->gap_count, 0);
    node->client.descriptor = -1;
    node->redis = jz_redis_create(options, error);
    assert_that(node->redis != NULL, "%s", error->message);
    node->server = jz_server_create(&server_options, error);
    assert_non_null(node->server);
    assert_int_equal(jz_server_route_ws(node->server, "/", NULL, on_event, node, error), JZ_OK);
    assert_int_equal(jz_server_join(node->server, jz_redis_broker(node->redis), error), JZ_OK);
    if (node->has_history)
        assert_int_equal(jz_server_history(node->server, "", 0, node->kept.keep > 0 ? &node->kept : NULL, error),
                         JZ_OK);
    assert_int_equal(jz_server_listen(node->server, "127.0.0.1", 0, error), JZ_OK);
    return jz_server_start(node->server, error);
}

void node_start(node *node, const jz_redis_options *options)
{
    jz_error error = {0};
    assert_that(node_try(node, options, &error) == JZ_OK, "%s", error.message);
    assert_true(test_client_open(&node->client, jz_server_port(node->server), UPGRADE_REQUEST("/")));
}

void node_finish(node *node)
{
    if (node->client.descriptor >= 0)
        test_client_close(&node->client);
    jz_server_stop(node->server);
    jz_server_wait(node->server);
    jz_server_destroy(node->server);
    jz_redis_free(node->redis);
    pthread_mutex_destroy(&node->lock);
}

static void say(node *node, char sign, const char *topic)
{
    char text[128];
    int length = snprintf(text, sizeof text, "%c%s", sign, topic);
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, (size_t)length, (size_t)length}};
    test_client_send_frame(&node->client, &frame);
    test_client_expect(&node->client, JZ_OPCODE_TEXT, text, (size_t)length);
}

void node_subscribe(node *node, const char *topic)
{
    say(node, '+', topic);
    assert_eventually(node_is_live(node, topic));
}

void node_unsubscribe(node *node, const char *topic)
{
    say(node, '-', topic);
}

void node_ask_to_continue(test_client *client, const char *topic, const char *since)
{
    char text[160];
    int length = snprintf(text, sizeof text, "@%s%s%s", topic, since[0] != '\0' ? " " : "", since);
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, (size_t)length, (size_t)length}};
    test_client_send_frame(client, &frame);
}

node_beginning node_hear_beginning(test_client *client)
{
    node_beginning beginning = {0};
    char text[256] = {0};
    char epoch[17];
    char recovered[8];
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_true(frame.opcode == JZ_OPCODE_TEXT && frame.length < sizeof text);
    memcpy(text, frame.payload, frame.length);
    int count = sscanf(text, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%7[a-z],\"count\":%zu}", epoch,
                       &beginning.offset, recovered, &beginning.count);
    assert_that(count == 4, "%s", text);
    beginning.has_recovered = strcmp(recovered, "true") == 0;
    snprintf(beginning.epoch, sizeof beginning.epoch, "%s", epoch);
    return beginning;
}

const char *node_position(const node_beginning *beginning, unsigned long long received)
{
    static char text[64];
    snprintf(text, sizeof text, "%s:%llu", beginning->epoch, beginning->offset + received);
    return text;
}

node_beginning node_continue(node *node, const char *topic, const char *since)
{
    node_ask_to_continue(&node->client, topic, since);
    return node_hear_beginning(&node->client);
}

bool node_is_told_to_come_back(node *node)
{
    test_received frame;
    return test_client_take_frame(&node->client, &frame) && frame.opcode == JZ_OPCODE_CLOSE && frame.length >= 2 &&
           (frame.payload[0] << 8 | frame.payload[1]) == JZ_CLOSE_BEHIND;
}

void node_come_back(node *node)
{
    if (node->client.descriptor >= 0)
        test_client_close(&node->client);
    assert_true(test_client_open(&node->client, jz_server_port(node->server), UPGRADE_REQUEST("/")));
}

jz_send_status node_publish(node *node, const char *topic, const char *text)
{
    return jz_server_publish(node->server, topic, strlen(topic), JZ_MESSAGE_TEXT, text, strlen(text));
}

bool node_reaches(node *from, node *to, const char *topic, const char *text)
{
    test_received frame;
    uint64_t deadline = test_deadline();
    node_publish(from, topic, text);
    for (int looks = 0; looks < 10;) {
        if (test_client_hears_nothing(&to->client)) {
            test_pause_before(deadline);
            looks++;
            continue;
        }
        assert_true(test_client_take_frame(&to->client, &frame));
        if (frame.length == strlen(text) && memcmp(frame.payload, text, frame.length) == 0)
            return true;
    }
    return false;
}

void node_expect(node *node, const char *text)
{
    test_client_expect(&node->client, JZ_OPCODE_TEXT, text, strlen(text));
}

void node_expect_nothing_else(node *node, const char *topic)
{
    assert_int_equal(jz_broker_deliver(node->server, topic, strlen(topic), JZ_MESSAGE_TEXT, "nothing else", 12),
                     JZ_SEND_SENT);
    node_expect(node, "nothing else");
}

bool node_is_live(node *node, const char *topic)
{
    return jz_server_is_live(node->server, topic, strlen(topic));
}

jz_redis_statistics node_statistics(node *node)
{
    return jz_redis_statistics_of(node->redis);
}

size_t node_gaps_of(node *node, const char *topic)
{
    char word[128];
    size_t count = 0;
    int length = snprintf(word, sizeof word, "%s ", topic);
    pthread_mutex_lock(&node->lock);
    for (const char *at = node->gaps; (at = strstr(at, word)) != NULL; at += length)
        count++;
    pthread_mutex_unlock(&node->lock);
    return count;
}

bool node_logged(node *node, const char *text)
{
    pthread_mutex_lock(&node->lock);
    bool is_there = strstr(node->log, text) != NULL;
    pthread_mutex_unlock(&node->lock);
    return is_there;
}
