/*
 * A storm: eight threads connect, subscribe, publish, send and close in all ways, on a server with four loops. The
 * number of operations is fixed, and everything that happens is counted.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/fleet.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    LOOPS = 4,
    THREADS = 8,
    CYCLES = 60,
    CLIENTS = 2, /* of a thread, at a time */
    PUBLISHED_BY_THREAD = 3,
    PUBLISHED_BY_CLIENT = 2, /* both in each cycle */
    CONNECTIONS = THREADS * CYCLES * CLIENTS,
    ACKNOWLEDGEMENT = -1,
    DIRECT = -2
};

#define TOPIC "all", 3

/* Every message of the storm. */
typedef struct note {
    uint64_t ws;       /* of an acknowledgement */
    int32_t publisher; /* or one of the two above */
    uint32_t number;
} note;

static struct {
    jz_server *server;
    atomic_size_t opens;
    atomic_size_t closes;
    atomic_size_t wrong_answers; /* of functions that the handler calls */
    /* How many publications each thread has begun, and how many it has done with. */
    atomic_uint begun[THREADS];
    atomic_uint done[THREADS];
} storm;

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    switch (event->type) {
    case JZ_EVENT_OPEN:
        storm.opens++;
        /* QUEUED: more errands of other threads wait than one iteration takes, and this is behind them. */
        jz_send_status status = jz_ws_subscribe(ws, TOPIC);
        if ((status != JZ_SEND_SENT && status != JZ_SEND_QUEUED) || !jz_ws_is_open(ws))
            storm.wrong_answers++;
        jz_ws_send(ws, JZ_MESSAGE_BINARY, &(note){ws.value, ACKNOWLEDGEMENT, 0}, sizeof(note));
        break;
    case JZ_EVENT_MESSAGE:
        if (jz_ws_publish(ws, TOPIC, message->kind, message->bytes, message->length) != JZ_SEND_SENT)
            storm.wrong_answers++;
        break;
    case JZ_EVENT_ERROR:
        break;
    case JZ_EVENT_CLOSE:
        if (jz_ws_send(ws, JZ_MESSAGE_TEXT, "", 0) != JZ_SEND_CLOSED || jz_ws_is_open(ws) ||
            jz_ws_publish(ws, "left", 4, JZ_MESSAGE_TEXT, "", 0) != JZ_SEND_SENT)
            storm.wrong_answers++;
        storm.closes++;
        break;
    }
}

/* What one client must get, and got. */
typedef struct receiver {
    jz_ws ws;
    bool is_subscribed;
    bool has_close_frame;
    int32_t publisher; /* its own number */
    size_t direct;
    size_t others;                        /* messages of the thread's other client */
    uint32_t floor[THREADS];              /* messages begun before are not due */
    uint32_t next[THREADS];               /* of a thread, once there was one */
    uint32_t next_of_client[CONNECTIONS]; /* likewise */
} receiver;

typedef struct stormer {
    int32_t number;
    fleet fleet;
    receiver receivers[CLIENTS];
    size_t failures;  /* connecting, sending, or receiving what is due before the deadline */
    size_t disorders; /* messages that were not due, or not yet */
} stormer;

/* The next of its publisher, or, where it is the first, no later one than the first that is due. */
static bool is_in_order(uint32_t *next, uint32_t number, uint32_t latest)
{
    bool is_due = *next == 0 ? number <= latest : number == *next;
    *next = number + 1;
    return is_due;
}

static void take_note(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    stormer *self = context;
    receiver *receiver = &self->receivers[number];
    note note;
    memcpy(&note, start, sizeof note);
    if (opcode == JZ_OPCODE_CLOSE) {
        receiver->has_close_frame = true;
    } else if (opcode != JZ_OPCODE_BINARY || length != sizeof note) {
        self->disorders++;
    } else if (note.publisher == ACKNOWLEDGEMENT) {
        self->disorders += receiver->is_subscribed ? 1 : 0;
        receiver->is_subscribed = true;
        receiver->ws.value = note.ws;
        for (size_t i = 0; i < THREADS; i++)
            receiver->floor[i] = storm.begun[i];
    } else if (note.publisher == DIRECT) {
        receiver->direct++;
    } else if (note.publisher < THREADS) {
        uint32_t latest = receiver->is_subscribed ? receiver->floor[note.publisher] : UINT32_MAX;
        self->disorders += is_in_order(&receiver->next[note.publisher], note.number, latest) ? 0 : 1;
    } else {
        int32_t client = note.publisher - THREADS;
        bool is_due = note.publisher != receiver->publisher && client < CONNECTIONS &&
                      is_in_order(&receiver->next_of_client[client], note.number, PUBLISHED_BY_CLIENT);
        self->disorders += is_due ? 0 : 1;
        for (size_t i = 0; i < CLIENTS; i++)
            receiver->others += note.publisher == self->receivers[i].publisher ? 1 : 0;
    }
}

static void turn_until_all(stormer *self, bool (*holds)(const stormer *self, const void *context), const void *context)
{
    bool result;
    FLEET_TURN_UNTIL(&self->fleet, holds(self, context), result);
    self->failures += result ? 0 : 1;
}

static bool all_are_subscribed(const stormer *self, const void *context)
{
    (void)context;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!self->receivers[i].is_subscribed)
            return false;
    }
    return true;
}

/* All earlier publications, by any thread, have arrived. */
static bool all_have_what_is_due(const stormer *self, const void *context)
{
    const uint32_t *due = context;
    for (size_t i = 0; i < CLIENTS; i++) {
        const receiver *receiver = &self->receivers[i];
        if (receiver->direct < 1 || receiver->others < (CLIENTS - 1) * PUBLISHED_BY_CLIENT)
            return false;
        for (size_t j = 0; j < THREADS; j++) {
            uint32_t next = receiver->next[j] > 0 ? receiver->next[j] : receiver->floor[j];
            if (next < due[j])
                return false;
        }
    }
    return true;
}

static bool all_have_ended(const stormer *self, const void *context)
{
    (void)context;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!self->fleet.clients[i].has_ended)
            return false;
    }
    return true;
}

static bool all_have_a_close_frame(const stormer *self, const void *context)
{
    (void)context;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!self->receivers[i].has_close_frame)
            return false;
    }
    return true;
}

static void publish_and_send(stormer *self)
{
    for (size_t i = 0; i < PUBLISHED_BY_THREAD; i++) {
        const note note = {0, self->number, storm.begun[self->number]++};
        if (jz_server_publish(storm.server, TOPIC, JZ_MESSAGE_BINARY, &note, sizeof note) != JZ_SEND_SENT)
            self->failures++;
        storm.done[self->number]++;
    }
    for (int32_t i = 0; i < CLIENTS; i++) {
        receiver *receiver = &self->receivers[i];
        if (jz_ws_send(receiver->ws, JZ_MESSAGE_BINARY, &(note){0, DIRECT, 0}, sizeof(note)) != JZ_SEND_QUEUED)
            self->failures++;
        for (uint32_t number = 0; number < PUBLISHED_BY_CLIENT; number++) {
            const note note = {0, receiver->publisher, number};
            if (!fleet_send(&self->fleet, (size_t)i, JZ_OPCODE_BINARY, &note, sizeof note))
                self->failures++;
        }
    }
}

static void send_close_frames(stormer *self)
{
    for (size_t i = 0; i < CLIENTS; i++)
        self->failures += fleet_send(&self->fleet, i, JZ_OPCODE_CLOSE, "\x03\xE8", 2) ? 0 : 1;
    turn_until_all(self, all_have_ended, NULL);
}

static void end_all(stormer *self, int32_t cycle)
{
    switch (cycle % 4) {
    case 0:
        send_close_frames(self);
        break;
    case 1:
        for (size_t i = 0; i < CLIENTS; i++)
            self->failures += jz_ws_close(self->receivers[i].ws, 1000, "", 0) == JZ_SEND_QUEUED ? 0 : 1;
        turn_until_all(self, all_have_a_close_frame, NULL);
        send_close_frames(self);
        break;
    case 2:
        for (size_t i = 0; i < CLIENTS; i++)
            fleet_reset(&self->fleet, i);
        break;
    default:
        break;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        self->disorders += self->receivers[i].direct != 1 ? 1 : 0;
        self->disorders += self->receivers[i].others != (CLIENTS - 1) * PUBLISHED_BY_CLIENT ? 1 : 0;
        fleet_close(&self->fleet, i);
    }
}

static void run_cycle(stormer *self, int32_t cycle)
{
    for (int32_t i = 0; i < CLIENTS; i++) {
        memset(&self->receivers[i], 0, sizeof self->receivers[i]);
        self->receivers[i].publisher = THREADS + (self->number * CYCLES + cycle) * CLIENTS + i;
        if (!fleet_open(&self->fleet, (size_t)i, jz_server_port(storm.server), "/", 0)) {
            self->failures++;
            return;
        }
    }
    turn_until_all(self, all_are_subscribed, NULL);
    publish_and_send(self);
    uint32_t due[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        due[i] = storm.done[i];
    turn_until_all(self, all_have_what_is_due, due);
    end_all(self, cycle);
}

static void *run_stormer(void *context)
{
    stormer *self = context;
    for (int32_t cycle = 0; cycle < CYCLES && self->failures == 0; cycle++)
        run_cycle(self, cycle);
    return NULL;
}

static void everything_that_happens_in_a_storm_happens_once_and_in_order(void **state)
{
    (void)state;
    static stormer stormers[THREADS];
    static const jz_accepting ways[] = {JZ_ACCEPTING_HAND_OVER, JZ_ACCEPTING_SHARED_PORT};
    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        size_t live = test_live_allocations();
        size_t descriptors = serving_descriptors();
        memset(&storm, 0, sizeof storm);
        jz_options options = serving_options(LOOPS);
        options.accepting = ways[way];
        storm.server = serving_start(&options, &(serving_route){"/", handle, NULL, NULL}, 1);
        pthread_t threads[THREADS];
        for (int32_t i = 0; i < THREADS; i++) {
            memset(&stormers[i], 0, sizeof stormers[i]);
            stormers[i].number = i;
            assert_true(fleet_start(&stormers[i].fleet, CLIENTS, take_note, &stormers[i]));
            assert_int_equal(pthread_create(&threads[i], NULL, run_stormer, &stormers[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            fleet_finish(&stormers[i].fleet);
        }
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(stormers[i].failures, 0);
            assert_int_equal(stormers[i].disorders, 0);
        }
        assert_eventually(storm.closes == CONNECTIONS);
        assert_eventually(jz_server_subscriber_count(storm.server, TOPIC) == 0);
        assert_int_equal(storm.opens, CONNECTIONS);
        assert_int_equal(storm.wrong_answers, 0);
        assert_int_equal(jz_server_dropped_count(storm.server), 0);
        jz_server_destroy(storm.server);
        assert_int_equal(storm.closes, CONNECTIONS);
        assert_int_equal(serving_descriptors(), descriptors);
        assert_int_equal(test_live_allocations(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_happens_in_a_storm_happens_once_and_in_order),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("storm", tests, NULL, NULL));
}
