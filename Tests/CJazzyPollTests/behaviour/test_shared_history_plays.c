/*
 * Plays, chosen by seeds: a broker that has faults keeps the history of a topic for three servers. Threads and handlers
 * publish, while clients lose their connections at random points, also within a frame, and come back to any of the
 * servers with the position that they have counted. What each client has at an offset is what was published there;
 * those who have recovered have missed nothing, and at the end all are at the end. JAZZY_SHARED_SEEDS=FIRST-LAST plays
 * others than the first 40; `make nightly-resuming` plays 10,000.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/keeping_broker.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum { PUBLISHERS = 2, CLIENTS = 4, EACH = 200, MOST_SPOKEN = 100, MOST_VISITS = 1024 };

static const char topic[] = "feed/7";

#define TOPIC topic, sizeof topic - 1

typedef struct play {
    uint64_t seed;
    keeping_broker broker;
    jz_server *servers[KEEPING_SERVERS];
    throttled throttle;
    atomic_bool is_over; /* nothing is published any more, and nothing gets lost */
    atomic_size_t recovered;
    atomic_size_t not_recovered;
    atomic_size_t unknown; /* of these: it could not be known */
    atomic_size_t behind;
    atomic_size_t lost;
    const char *_Atomic wrong;
} play;

typedef struct client {
    play *play;
    uint32_t number;
    test_random random;
    test_client connection;
    bool has_position;
    jz_position position;
    uint32_t visits;
    uint32_t spoken;
    uint32_t spoken_before;
} client;

static void blame(play *play, const char *what)
{
    const char *none = NULL;
    atomic_compare_exchange_strong(&play->wrong, &none, what);
}

/* "/?since=..." continues there; any other client begins with the next message. */
static void subscribe_or_publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    play *play = context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_BINARY)
        jz_ws_publish(ws, TOPIC, message->kind, message->bytes, message->length);
    if (event->type != JZ_EVENT_OPEN)
        return;
    jz_subscribe_options options = {.announces = true};
    jz_string since;
    const jz_request *request = jz_ws_request(ws);
    options.has_since = request != NULL && jz_request_query_value(request, "since", &since);
    if (options.has_since && !jz_position_parse(since.start, since.length, &options.since))
        blame(play, "a position did not arrive as it was sent");
    if (jz_ws_subscribe_from(ws, TOPIC, &options, NULL) == JZ_SEND_DROPPED)
        blame(play, "a subscription was refused");
}

static void *publish(void *context)
{
    client *self = context; /* only a number and a play */
    uint8_t bytes[KEEPING_MOST_LENGTH];
    for (uint32_t number = 1; number <= EACH; number++) {
        jz_server *server = self->play->servers[test_random_below(&self->random, KEEPING_SERVERS)];
        size_t length = keeping_fill(bytes, (keeping_stamp){self->number, number});
        (void)jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, bytes, length); /* it may be refused */
        if (test_random_below(&self->random, 3) == 0)
            test_pause_before(test_deadline());
    }
    return NULL;
}

static void publish_by_hand(client *self)
{
    uint8_t bytes[KEEPING_MOST_LENGTH];
    keeping_stamp stamp = {PUBLISHERS + self->number * MOST_VISITS + self->visits, ++self->spoken};
    size_t length = keeping_fill(bytes, stamp);
    const test_frame frame = {
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)bytes, length, length}};
    jz_buffer buffer = {0};
    test_frame_append(&buffer, &frame, (const uint8_t[]){1, 2, 3, 4});
    (void)test_client_send(&self->connection, buffer.bytes, buffer.length);
    jz_buffer_free(&buffer);
}

static bool take_announcement(client *self, bool has_asked)
{
    test_received frame;
    char text[160] = "";
    char epoch[17];
    char answer[6];
    unsigned long long offset;
    size_t count;
    if (!test_client_take_frame(&self->connection, &frame) || frame.opcode == JZ_OPCODE_CLOSE)
        return false;
    if (frame.opcode != JZ_OPCODE_TEXT || frame.length >= sizeof text) {
        blame(self->play, "the first frame is no announcement");
        return false;
    }
    memcpy(text, frame.payload, frame.length);
    if (sscanf(text, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%5[a-z],\"count\":%zu}", epoch, &offset,
               answer, &count) != 4)
        blame(self->play, "the announcement is not as it should be");
    jz_position announced = {strtoull(epoch, NULL, 16), offset};
    bool has_recovered = strcmp(answer, "true") == 0;
    if (has_recovered && (!has_asked || announced.epoch != self->position.epoch ||
                          announced.offset != self->position.offset || announced.epoch == 0))
        blame(self->play, "a client has recovered at another position");
    if (!has_recovered && count != 0)
        blame(self->play, "a client that has not recovered gets something old");
    if (has_asked)
        (*(has_recovered ? &self->play->recovered : &self->play->not_recovered))++;
    self->play->unknown += announced.epoch == 0 ? 1 : 0;
    self->position = announced;
    self->has_position = true;
    return true;
}

static void take_message(client *self, const test_received *frame)
{
    uint8_t expected[KEEPING_MOST_LENGTH];
    keeping_stamp stamp;
    self->position.offset++;
    if (self->position.epoch == 0 && frame->length >= sizeof stamp)
        memcpy(&stamp, frame->payload, sizeof stamp); /* from nowhere anything may come */
    else if (!keeping_broker_at(&self->play->broker, self->position, &stamp)) {
        blame(self->play, "a client gets more than was published");
        return;
    }
    size_t length = keeping_fill(expected, stamp);
    if (frame->length != length || memcmp(expected, frame->payload, length) != 0)
        blame(self->play, "a client has another message at an offset than was published there");
}

static bool is_at_end(const client *self)
{
    jz_position end = keeping_broker_end(&self->play->broker);
    return self->has_position && self->position.epoch == end.epoch && self->position.offset == end.offset;
}

/* Whether there is something to take; false: it has ended, or the client has all that there will be. */
static bool waits_for_more(client *self)
{
    uint64_t deadline = test_deadline();
    while (self->connection.start == self->connection.end && test_client_hears_nothing(&self->connection)) {
        bool is_over = self->play->is_over;
        if ((is_over && (is_at_end(self) || self->position.epoch == 0)) || self->play->wrong != NULL)
            return false;
        if (!test_pause_before(deadline)) {
            blame(self->play, "a client waits for a message that does not come");
            return false;
        }
    }
    return true;
}

/* Takes some messages, or all until the connection ends, and then loses the connection. */
static void visit(client *self)
{
    char request[512];
    char text[JZ_POSITION_SIZE] = "";
    bool has_asked = self->has_position;
    if (has_asked)
        jz_position_format(self->position, text);
    snprintf(request, sizeof request, UPGRADE_REQUEST("/%s%s"), has_asked ? "?since=" : "", text);
    int buffer = test_random_below(&self->random, 4) == 0 ? 8192 : 0;
    size_t left = test_random_below(&self->random, 3) == 0 ? SIZE_MAX : test_random_below(&self->random, 80);
    jz_server *server = self->play->servers[test_random_below(&self->random, KEEPING_SERVERS)];
    if (!test_client_connect(&self->connection, jz_server_port(server), buffer))
        return;
    if (test_client_upgrade(&self->connection, request) && take_announcement(self, has_asked)) {
        test_received frame = {0};
        while (left-- > 0 && waits_for_more(self) && test_client_take_frame(&self->connection, &frame) &&
               frame.opcode != JZ_OPCODE_CLOSE) {
            if (frame.opcode == JZ_OPCODE_BINARY)
                take_message(self, &frame);
            if (!self->play->is_over && self->spoken_before + self->spoken < MOST_SPOKEN &&
                test_random_below(&self->random, 10) == 0)
                publish_by_hand(self);
            if (test_random_below(&self->random, 25) == 0)
                test_pause_before(test_deadline());
        }
        if (frame.opcode == JZ_OPCODE_CLOSE && frame.length >= 2 && frame.payload[0] == JZ_CLOSE_BEHIND >> 8 &&
            frame.payload[1] == (JZ_CLOSE_BEHIND & 0xFF))
            self->play->behind++;
    }
    self->play->lost++;
    self->visits++;
    self->spoken_before += self->spoken;
    self->spoken = 0;
    if (test_random_below(&self->random, 2) == 0)
        test_client_reset(&self->connection);
    else
        test_client_close(&self->connection);
}

static void *come_and_go(void *context)
{
    client *self = context;
    do {
        visit(self);
        if (self->visits == MOST_VISITS)
            blame(self->play, "a client never reaches the end");
    } while (self->play->wrong == NULL && (!self->play->is_over || !is_at_end(self)));
    return NULL;
}

static void start(play *play, size_t number, const jz_history_options *kept, test_random *random)
{
    jz_error error = {0};
    jz_options options = jz_options_default();
    options.threads = 1 + (uint32_t)test_random_below(random, 3);
    options.accepting = JZ_ACCEPTING_HAND_OVER;
    options.receive_buffer_size = 16 * 1024;
    options.log_level = JZ_LOG_ERROR;
    options.backpressure_limit = test_random_below(random, 2) == 0 ? 4096 : 1024 * 1024;
    jz_route_options route = jz_route_options_default();
    route.execution = test_random_below(random, 4) == 0 ? JZ_EXECUTION_WORKERS : JZ_EXECUTION_LOOP;
    bool is_throttled = test_random_below(random, 2) == 0;
    const jz_listen_options listening = {.transport = is_throttled ? &throttled_transport : NULL,
                                         .transport_context = &play->throttle};
    const jz_broker broker = keeping_broker_for(&play->broker, number);
    jz_server *server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_join(server, &broker, &error), JZ_OK);
    assert_int_equal(jz_server_history(server, "feed/", 5, kept, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/", &route, subscribe_or_publish, play, &error), JZ_OK);
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error), JZ_OK);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    play->servers[number] = server;
}

static struct {
    size_t recovered, not_recovered, unknown, behind, lost, losses, renewals, questions;
} total;

static void end(play *play)
{
    uint8_t bytes[KEEPING_MOST_LENGTH];
    /* Who has missed the last message without anybody knowing finds out with the next. */
    keeping_broker_calm_down(&play->broker);
    size_t length = keeping_fill(bytes, (keeping_stamp){UINT32_MAX, 1});
    assert_int_equal(jz_server_publish(play->servers[0], TOPIC, JZ_MESSAGE_BINARY, bytes, length), JZ_SEND_SENT);
    play->is_over = true;
}

static void run(uint64_t seed)
{
    static client clients[CLIENTS];
    client *publishers = calloc(PUBLISHERS, sizeof *publishers);
    pthread_t threads[CLIENTS + PUBLISHERS];
    test_random random = {seed};
    play *play = calloc(1, sizeof *play);
    assert_true(play != NULL && publishers != NULL);
    play->seed = seed;
    play->throttle = (throttled){.seed = seed, .most_sent = 600, .contrary = 5, .failing = 400};
    const jz_history_options kept = {.keep = 3 + test_random_below(&random, 150), .for_ms = 300000, .bytes = 1000000};
    keeping_broker_start(&play->broker, test_random_next(&random), kept.keep);
    for (size_t i = 0; i < KEEPING_SERVERS; i++)
        start(play, i, &kept, &random);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.play = play, .number = i, .random = {test_random_next(&random)}};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &clients[i]), 0);
    }
    for (uint32_t i = 0; i < PUBLISHERS; i++) {
        publishers[i].play = play;
        publishers[i].number = i;
        publishers[i].random = (test_random){test_random_next(&random)};
        assert_int_equal(pthread_create(&threads[CLIENTS + i], NULL, publish, &publishers[i]), 0);
    }
    for (size_t i = 0; i < PUBLISHERS; i++)
        pthread_join(threads[CLIENTS + i], NULL);
    end(play);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    assert_that(play->wrong == NULL, "seed %llu: %s", (unsigned long long)seed, play->wrong);
    for (size_t i = 0; i < KEEPING_SERVERS; i++)
        jz_server_destroy(play->servers[i]);
    total.recovered += play->recovered;
    total.not_recovered += play->not_recovered;
    total.unknown += play->unknown;
    total.behind += play->behind;
    total.lost += play->lost;
    total.losses += play->broker.losses;
    total.renewals += play->broker.renewals;
    total.questions += play->broker.questions;
    keeping_broker_finish(&play->broker);
    free(publishers);
    free(play);
}

static void whoever_comes_back_to_any_server_has_missed_nothing_and_gets_nothing_twice(void **state)
{
    (void)state;
    unsigned long long first = 1;
    unsigned long long last = 40;
    const char *chosen = getenv("JAZZY_SHARED_SEEDS");
    assert_true(chosen == NULL || sscanf(chosen, "%llu-%llu", &first, &last) == 2);
    for (uint64_t seed = first; seed <= last; seed++)
        run(seed);
    print_message("%zu connections were lost, %zu clients recovered, %zu did not (%zu could not know), %zu had to come "
                  "back; %zu losses of servers, %zu new epochs, %zu questions\n",
                  total.lost, total.recovered, total.not_recovered, total.unknown, total.behind, total.losses,
                  total.renewals, total.questions);
    assert_true(chosen != NULL || (total.recovered > 0 && total.not_recovered > 0 && total.behind > 0 &&
                                   total.losses > 0 && total.renewals > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_comes_back_to_any_server_has_missed_nothing_and_gets_nothing_twice),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("shared history plays", tests, NULL, NULL));
}
