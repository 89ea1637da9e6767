/*
 * Plays, chosen by seeds: threads and handlers on several loops publish to a topic with history, while clients lose
 * their connections at random points, also within a frame, and come back with the position that they have counted; some
 * get messages in envelopes, which say the offset. What each client has at an offset is what every other has there;
 * those who have recovered have missed nothing, and at the end all are at the end. JAZZY_RESUMING_SEEDS=FIRST-LAST
 * plays others than the first 100.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "codec/base64.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum {
    PUBLISHERS = 2,
    CLIENTS = 4,
    EACH = 250,
    MOST_SPOKEN = 200,
    MOST = 4096,
    MOST_PADDING = 2600,
    MOST_VISITS = 1024,
    MOST_PUBLISHERS = PUBLISHERS + CLIENTS * MOST_VISITS
};

static const char topic[] = "feed/7";

#define TOPIC topic, sizeof topic - 1
#define OPENING "{\"t\":\"feed/7\","

/* What is published: who, the how manieth, and padding that follows from both. */
typedef struct stamp {
    uint32_t publisher; /* each connection of a client is another one */
    uint32_t number;    /* from 1 on */
} stamp;

typedef struct play {
    uint64_t seed;
    jz_server *server;
    uint16_t port;
    throttled throttle;
    atomic_size_t publishing;  /* publishers that have not finished */
    _Atomic uint64_t at[MOST]; /* the stamp at each offset; 0: nobody has received it yet */
    atomic_size_t recovered;
    atomic_size_t not_recovered;
    atomic_size_t behind; /* closed for being too slow */
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
    bool has_envelopes; /* in this visit */
    uint32_t visits;
    uint32_t spoken; /* in this visit */
    uint32_t spoken_before;
} client;

static void blame(play *play, const char *what)
{
    const char *none = NULL;
    atomic_compare_exchange_strong(&play->wrong, &none, what);
}

static size_t length_of(stamp stamp)
{
    test_random random = {(uint64_t)stamp.publisher << 32 | stamp.number};
    size_t most = test_random_below(&random, 4) == 0 ? MOST_PADDING : 60;
    return sizeof stamp + test_random_below(&random, most);
}

static void fill(uint8_t *bytes, stamp stamp)
{
    memset(bytes, (int)(stamp.number & 0x7F), length_of(stamp));
    memcpy(bytes, &stamp, sizeof stamp);
}

/* "/?since=..." continues there; any other client begins with the next message. With "enveloped" in envelopes. */
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
    options.envelops = request != NULL && jz_request_query_value(request, "enveloped", NULL);
    if (jz_ws_subscribe_from(ws, TOPIC, &options, NULL) == JZ_SEND_DROPPED)
        blame(play, "a subscription was refused");
}

static void *publish(void *context)
{
    client *self = context; /* only a number and a play */
    uint8_t bytes[sizeof(stamp) + MOST_PADDING];
    for (uint32_t number = 1; number <= EACH; number++) {
        stamp stamp = {self->number, number};
        fill(bytes, stamp);
        if (jz_server_publish(self->play->server, TOPIC, JZ_MESSAGE_BINARY, bytes, length_of(stamp)) != JZ_SEND_SENT)
            blame(self->play, "a publication was refused");
        if (test_random_below(&self->random, 8) == 0)
            test_pause_before(test_deadline());
    }
    self->play->publishing--;
    return NULL;
}

static jz_position end_of(const play *play)
{
    jz_position end;
    jz_server_recent(play->server, TOPIC, 0, NULL, NULL, &end);
    return end;
}

static void publish_by_hand(client *self)
{
    uint8_t bytes[sizeof(stamp) + MOST_PADDING];
    stamp stamp = {PUBLISHERS + self->number * MOST_VISITS + self->visits, ++self->spoken};
    fill(bytes, stamp);
    const test_frame frame = {
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)bytes, length_of(stamp), length_of(stamp)}};
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
    const char *rest = text;
    if (self->has_envelopes && strncmp(text, OPENING, strlen(OPENING)) == 0)
        rest = memcpy(text + strlen(OPENING) - 1, "{", 1);
    if (sscanf(rest, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%5[a-z],\"count\":%zu}", epoch, &offset,
               answer, &count) != 4)
        blame(self->play, "the announcement is not as it should be");
    jz_position announced = {strtoull(epoch, NULL, 16), offset};
    bool has_recovered = strcmp(answer, "true") == 0;
    if (has_recovered &&
        (!has_asked || announced.epoch != self->position.epoch || announced.offset != self->position.offset))
        blame(self->play, "a client has recovered at another position");
    if (!has_recovered && count != 0)
        blame(self->play, "a client that has not recovered gets something old");
    if (has_asked)
        (*(has_recovered ? &self->play->recovered : &self->play->not_recovered))++;
    self->position = announced;
    self->has_position = true;
    return true;
}

static size_t decode_base64(const uint8_t *text, size_t length, uint8_t *bytes)
{
    size_t written = 0;
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t group = 0;
        size_t padding = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = memchr(jz_base64_digits, text[i + j], 64);
            padding += text[i + j] == '=' ? 1 : 0;
            group = group << 6 | (digit != NULL ? (uint32_t)(digit - jz_base64_digits) : 0);
        }
        for (size_t j = 0; j < 3 - padding; j++)
            bytes[written++] = (uint8_t)(group >> (16 - 8 * j));
    }
    return written;
}

/* Takes the payload out of its envelope. */
static bool open_envelope(client *self, test_received *frame, uint8_t *bytes, size_t capacity)
{
    static const size_t opening = sizeof OPENING - 1;
    char head[64] = "";
    unsigned long long offset = 0;
    int length = 0;
    if (frame->opcode != JZ_OPCODE_TEXT || frame->length < opening + 8 || frame->length / 4 * 3 > capacity ||
        memcmp(frame->payload, OPENING, opening) != 0)
        return false;
    size_t rest = frame->length - opening;
    memcpy(head, frame->payload + opening, rest < sizeof head ? rest : sizeof head - 1);
    if (sscanf(head, "\"o\":%llu,\"b\":\"%n", &offset, &length) != 1 || length == 0)
        return false;
    if (offset != self->position.offset + 1)
        blame(self->play, "an envelope says another offset than that of the message");
    size_t start = opening + (size_t)length;
    frame->length = decode_base64(frame->payload + start, frame->length - start - 2, bytes);
    frame->payload = bytes;
    return true;
}

static void take_message(client *self, test_received *frame)
{
    uint8_t bytes[2 * (sizeof(stamp) + MOST_PADDING)];
    if (self->has_envelopes && !open_envelope(self, frame, bytes, sizeof bytes))
        blame(self->play, "something else than an envelope was received");
    uint8_t expected[sizeof(stamp) + MOST_PADDING];
    stamp stamp;
    uint64_t value;
    uint64_t offset = ++self->position.offset;
    if (frame->length < sizeof stamp || offset >= MOST) {
        blame(self->play, "something else was received");
        return;
    }
    memcpy(&stamp, frame->payload, sizeof stamp);
    memcpy(&value, frame->payload, sizeof value);
    fill(expected, stamp);
    if (frame->length != length_of(stamp) || memcmp(expected, frame->payload, frame->length) != 0)
        blame(self->play, "a payload was changed");
    uint64_t there = 0;
    if (!atomic_compare_exchange_strong(&self->play->at[offset], &there, value) && there != value)
        blame(self->play, "two clients have different messages at one offset");
}

/* Whether there is something to take; false: it has ended, or the client has all that there will be. */
static bool waits_for_more(client *self)
{
    uint64_t deadline = test_deadline();
    while (self->connection.start == self->connection.end && test_client_hears_nothing(&self->connection)) {
        bool is_last = self->play->publishing == 0;
        if ((is_last && self->position.offset == end_of(self->play).offset) || self->play->wrong != NULL)
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
    self->has_envelopes = test_random_below(&self->random, 2) == 0;
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s%s%s"), self->has_envelopes ? "enveloped&" : "",
             has_asked ? "since=" : "", text);
    int buffer = test_random_below(&self->random, 4) == 0 ? 8192 : 0;
    size_t left = test_random_below(&self->random, 3) == 0 ? SIZE_MAX : test_random_below(&self->random, 80);
    if (!test_client_connect(&self->connection, self->play->port, buffer))
        return;
    if (test_client_upgrade(&self->connection, request) && take_announcement(self, has_asked)) {
        test_received frame = {0};
        while (left-- > 0 && waits_for_more(self) && test_client_take_frame(&self->connection, &frame) &&
               frame.opcode != JZ_OPCODE_CLOSE) {
            if (frame.opcode == (self->has_envelopes ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY))
                take_message(self, &frame);
            if (self->spoken_before + self->spoken < MOST_SPOKEN && test_random_below(&self->random, 10) == 0)
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
    /* What has arrived, and was not taken, is lost with the connection: whole frames and a part of one. */
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
    } while (self->play->wrong == NULL &&
             (self->play->publishing > 0 || !self->has_position || self->position.offset != end_of(self->play).offset));
    return NULL;
}

static void start(play *play, test_random *random)
{
    jz_error error = {0};
    jz_options options = jz_options_default();
    options.threads = 1 + (uint32_t)test_random_below(random, 4);
    options.accepting = JZ_ACCEPTING_HAND_OVER;
    options.receive_buffer_size = 16 * 1024;
    options.log_level = JZ_LOG_ERROR;
    options.backpressure_limit = test_random_below(random, 2) == 0 ? 4096 : 1024 * 1024;
    jz_route_options route = jz_route_options_default();
    route.execution = test_random_below(random, 4) == 0 ? JZ_EXECUTION_WORKERS : JZ_EXECUTION_LOOP;
    const jz_history_options kept = {.keep = 3 + test_random_below(random, 150),
                                     .for_ms = 300000,
                                     .bytes = 10000 + test_random_below(random, 100000)};
    bool is_throttled = test_random_below(random, 2) == 0;
    play->throttle = (throttled){.seed = play->seed, .most_sent = 600, .contrary = 5, .failing = 400};
    const jz_listen_options listening = {.transport = is_throttled ? &throttled_transport : NULL,
                                         .transport_context = &play->throttle};
    play->server = jz_server_create(&options, &error);
    assert_that(play->server != NULL, "%s", error.message);
    assert_int_equal(jz_server_history(play->server, "feed/", 5, &kept, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(play->server, "/", &route, subscribe_or_publish, play, &error), JZ_OK);
    assert_int_equal(jz_server_listen_with(play->server, "127.0.0.1", 0, &listening, &error), JZ_OK);
    assert_that(jz_server_start(play->server, &error) == JZ_OK, "%s", error.message);
    play->port = jz_server_port(play->server);
}

/*
 * No publisher's messages are twice in the order of the offsets, or in another order than it has published them.
 * (What a client has said on a connection that it has lost may be read after what it says on the next one.)
 */
static void expect_order(const play *play)
{
    static uint32_t last[MOST_PUBLISHERS];
    memset(last, 0, sizeof last);
    for (size_t offset = 1; offset < MOST; offset++) {
        stamp stamp;
        uint64_t value = play->at[offset];
        memcpy(&stamp, &value, sizeof stamp);
        if (value == 0)
            continue;
        assert_that(stamp.publisher < MOST_PUBLISHERS && stamp.number > last[stamp.publisher],
                    "seed %llu: number %u of %u is at offset %zu, behind number %u", (unsigned long long)play->seed,
                    stamp.number, stamp.publisher, offset, last[stamp.publisher]);
        last[stamp.publisher] = stamp.number;
    }
}

static struct {
    size_t recovered, not_recovered, behind, lost;
} total;

static void run(uint64_t seed)
{
    static client clients[CLIENTS];
    client publishers[PUBLISHERS];
    pthread_t threads[CLIENTS + PUBLISHERS];
    test_random random = {seed};
    play *play = calloc(1, sizeof *play);
    assert_non_null(play);
    play->seed = seed;
    play->publishing = PUBLISHERS;
    start(play, &random);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.play = play, .number = i, .random = {test_random_next(&random)}};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &clients[i]), 0);
    }
    for (uint32_t i = 0; i < PUBLISHERS; i++) {
        publishers[i] = (client){.play = play, .number = i, .random = {test_random_next(&random)}};
        assert_int_equal(pthread_create(&threads[CLIENTS + i], NULL, publish, &publishers[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS + PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
    assert_that(play->wrong == NULL, "seed %llu: %s", (unsigned long long)seed, play->wrong);
    expect_order(play);
    total.recovered += play->recovered;
    total.not_recovered += play->not_recovered;
    total.behind += play->behind;
    total.lost += play->lost;
    jz_server_destroy(play->server);
    free(play);
}

static void whoever_comes_back_has_missed_nothing_and_gets_nothing_twice(void **state)
{
    (void)state;
    unsigned long long first = 1;
    unsigned long long last = 100;
    const char *chosen = getenv("JAZZY_RESUMING_SEEDS");
    assert_true(chosen == NULL || sscanf(chosen, "%llu-%llu", &first, &last) == 2);
    for (uint64_t seed = first; seed <= last; seed++)
        run(seed);
    print_message("%zu connections were lost, %zu clients recovered, %zu did not, %zu were too slow\n", total.lost,
                  total.recovered, total.not_recovered, total.behind);
    assert_true(chosen != NULL || (total.recovered > 0 && total.not_recovered > 0 && total.behind > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_comes_back_has_missed_nothing_and_gets_nothing_twice),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("resuming plays", tests, NULL, NULL));
}
