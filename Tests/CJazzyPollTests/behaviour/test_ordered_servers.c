/* Servers whose publications all go through a broker that is ordered: every subscriber receives them in one order. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "codec/frame_header.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/client.h"
#include "jazzy/broker.h"

enum { SERVERS = 2, CLIENTS = 6, MESSAGES = 50 };

#define TOPIC "news", 4

/* A publication: who, and which of his. */
typedef struct stamp {
    uint32_t publisher; /* a client, or CLIENTS: the server itself */
    uint32_t number;
} stamp;

typedef struct letter {
    struct letter *next;
    size_t from;
    jz_ws except;
    stamp stamp;
} letter;

/* One queue for all servers, and a thread that delivers each message to all of them. */
typedef struct sequencer {
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    pthread_t thread;
    bool is_ending;
    jz_server *servers[SERVERS];
    letter *first;
    letter *last;
} sequencer;

typedef struct member {
    sequencer *sequencer;
    size_t number;
} member;

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    member *member = context;
    (void)error;
    pthread_mutex_lock(&member->sequencer->lock);
    member->sequencer->servers[member->number] = server;
    pthread_mutex_unlock(&member->sequencer->lock);
    return JZ_OK;
}

static void stop(void *context)
{
    member *member = context;
    pthread_mutex_lock(&member->sequencer->lock);
    member->sequencer->servers[member->number] = NULL;
    pthread_mutex_unlock(&member->sequencer->lock);
}

static void ignore_topic(void *context, const char *topic, size_t length)
{
    (void)context;
    (void)topic;
    (void)length;
}

static jz_send_status publish(void *context, jz_ws except, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    member *member = context;
    sequencer *sequencer = member->sequencer;
    (void)topic;
    letter *added = malloc(sizeof *added);
    if (added == NULL || topic_length != 4 || kind != JZ_MESSAGE_BINARY || length != sizeof added->stamp)
        abort();
    *added = (letter){.from = member->number, .except = except};
    memcpy(&added->stamp, bytes, length);
    pthread_mutex_lock(&sequencer->lock);
    if (sequencer->last != NULL)
        sequencer->last->next = added;
    else
        sequencer->first = added;
    sequencer->last = added;
    pthread_cond_signal(&sequencer->has_changed);
    pthread_mutex_unlock(&sequencer->lock);
    return JZ_SEND_QUEUED;
}

static void deliver(const sequencer *sequencer, const letter *letter)
{
    for (size_t i = 0; i < SERVERS; i++) {
        const jz_ws except = i == letter->from ? letter->except : (jz_ws){0};
        if (sequencer->servers[i] != NULL)
            jz_broker_deliver_except(sequencer->servers[i], except, TOPIC, JZ_MESSAGE_BINARY, &letter->stamp,
                                     sizeof letter->stamp);
    }
}

static void *run(void *context)
{
    sequencer *sequencer = context;
    pthread_mutex_lock(&sequencer->lock);
    while (!sequencer->is_ending || sequencer->first != NULL) {
        letter *taken = sequencer->first;
        if (taken == NULL) {
            pthread_cond_wait(&sequencer->has_changed, &sequencer->lock);
            continue;
        }
        sequencer->first = taken->next;
        sequencer->last = taken->next != NULL ? sequencer->last : NULL;
        deliver(sequencer, taken);
        free(taken);
    }
    pthread_mutex_unlock(&sequencer->lock);
    return NULL;
}

/* Subscribes when it is told "+", and publishes what else it is told. */
static void obey(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->kind == JZ_MESSAGE_BINARY) {
        jz_ws_publish(ws, TOPIC, JZ_MESSAGE_BINARY, message->bytes, message->length);
    } else {
        jz_ws_subscribe(ws, TOPIC);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "ok", 2);
    }
}

static jz_server *serve(member *member)
{
    jz_error error = {0};
    const jz_options options = serving_options(2);
    const jz_broker broker = {.context = member,
                              .start = start,
                              .stop = stop,
                              .subscribe = ignore_topic,
                              .unsubscribe = ignore_topic,
                              .publish_except = publish,
                              .is_ordered = true};
    jz_server *server = jz_server_create(&options, &error);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, obey, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    assert_int_equal(jz_server_join(server, &broker, &error), JZ_OK);
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    return server;
}

static stamp next_stamp(test_client *client)
{
    test_received received;
    stamp stamp;
    assert_true(test_client_take_frame(client, &received));
    assert_int_equal(received.opcode, JZ_OPCODE_BINARY);
    assert_int_equal(received.length, sizeof stamp);
    memcpy(&stamp, received.payload, sizeof stamp);
    return stamp;
}

static void send_stamp(test_client *client, uint32_t publisher, uint32_t number)
{
    const stamp stamp = {publisher, number};
    test_client_send_frame(client, &(test_frame){.fin = true,
                                                 .opcode = JZ_OPCODE_BINARY,
                                                 .payload = {(const char *)&stamp, sizeof stamp, sizeof stamp}});
}

/* What the first client hears is the order for all: each hears the same, without its own. */
static void all_hear_one_order(test_client clients[CLIENTS])
{
    enum { ALL = (CLIENTS + 1) * MESSAGES };
    static stamp heard[CLIENTS][ALL];
    uint32_t next[CLIENTS + 1] = {0};
    for (size_t i = 0; i < CLIENTS; i++) {
        for (size_t j = 0; j < ALL - MESSAGES; j++) {
            heard[i][j] = next_stamp(&clients[i]);
            assert_int_not_equal(heard[i][j].publisher, i);
        }
    }
    for (size_t j = 0; j < ALL - MESSAGES; j++) {
        assert_int_equal(heard[0][j].number, next[heard[0][j].publisher]);
        next[heard[0][j].publisher]++;
    }
    for (size_t i = 1; i < CLIENTS; i++) {
        size_t place = 0;
        for (size_t j = 0; j < ALL - MESSAGES; j++) {
            if (heard[i][j].publisher == 0) /* which the first does not hear */
                continue;
            while (heard[0][place].publisher == i)
                place++;
            assert_int_equal(heard[i][j].publisher, heard[0][place].publisher);
            assert_int_equal(heard[i][j].number, heard[0][place].number);
            place++;
        }
    }
}

static void every_subscriber_of_every_server_hears_one_order_without_its_own(void **state)
{
    (void)state;
    sequencer sequencer = {.lock = PTHREAD_MUTEX_INITIALIZER, .has_changed = PTHREAD_COND_INITIALIZER};
    member members[SERVERS];
    jz_server *servers[SERVERS];
    static test_client clients[CLIENTS];
    assert_int_equal(pthread_create(&sequencer.thread, NULL, run, &sequencer), 0);
    for (size_t i = 0; i < SERVERS; i++) {
        members[i] = (member){&sequencer, i};
        servers[i] = serve(&members[i]);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(servers[i % SERVERS]), UPGRADE_REQUEST("/")));
        test_client_send_frame(&clients[i], &(test_frame)TEXT("+"));
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "ok", 2);
    }
    for (uint32_t number = 0; number < MESSAGES; number++) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            send_stamp(&clients[i], i, number);
        const stamp own = {CLIENTS, number};
        assert_int_equal(jz_server_publish(servers[0], TOPIC, JZ_MESSAGE_BINARY, &own, sizeof own), JZ_SEND_SENT);
    }
    all_hear_one_order(clients);
    jz_statistics statistics;
    /* Both are counted when the message is on its way, and may have been heard. */
    assert_eventually((jz_server_statistics(servers[0], &statistics),
                       statistics.broker.published == (CLIENTS / SERVERS + 1) * MESSAGES &&
                           statistics.broker.delivered == (CLIENTS + 1) * MESSAGES));
    for (size_t i = 0; i < CLIENTS; i++)
        test_client_close(&clients[i]);
    for (size_t i = 0; i < SERVERS; i++)
        jz_server_destroy(servers[i]);
    pthread_mutex_lock(&sequencer.lock);
    sequencer.is_ending = true;
    pthread_cond_signal(&sequencer.has_changed);
    pthread_mutex_unlock(&sequencer.lock);
    pthread_join(sequencer.thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subscriber_of_every_server_hears_one_order_without_its_own),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("ordered servers", tests, NULL, NULL));
}
