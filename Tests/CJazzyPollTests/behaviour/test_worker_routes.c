/* Routes that run on workers: order, blocking handlers, full queues, and state. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/fleet.h"
#include "support/serving.h"
#include "support/testing.h"

/* A handler's data for its connection; if the server works, only one call at a time uses it. */
typedef struct memory {
    atomic_bool is_inside;
    uint32_t next;
    bool is_closed;
} memory;

static struct {
    atomic_size_t opens;
    atomic_size_t messages;
    atomic_size_t closes;
    atomic_size_t releases;
    atomic_size_t overlaps;
    atomic_size_t disorders;
    atomic_bool is_held;   /* handlers wait while it is */
    atomic_size_t held;    /* that do */
    _Atomic uint64_t last; /* connection that was opened */
} seen;

static void wait_while_held(void)
{
    seen.held++;
    test_hold_while(seen.is_held);
    seen.held--;
}

static memory *memory_of(jz_ws ws, const jz_event *event)
{
    if (event->type == JZ_EVENT_OPEN && !jz_ws_set_state(ws, calloc(1, sizeof(memory))))
        seen.disorders++;
    return jz_ws_state(ws);
}

static void take_number(memory *memory, const jz_message *message)
{
    uint32_t number = UINT32_MAX;
    if (message->length >= sizeof number)
        memcpy(&number, message->bytes, sizeof number);
    seen.disorders += number == memory->next++ ? 0 : 1;
    if (number % 8 == 0)
        sched_yield();
    seen.messages++;
}

static void remember(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    memory *memory = memory_of(ws, event);
    if (memory == NULL) {
        seen.disorders++;
        return;
    }
    if (atomic_exchange(&memory->is_inside, true))
        seen.overlaps++;
    if (seen.is_held)
        wait_while_held();
    seen.disorders += memory->is_closed ? 1 : 0;
    if (event->type == JZ_EVENT_OPEN) {
        seen.last = ws.value;
        seen.opens++;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        take_number(memory, message);
        jz_ws_send(ws, message->kind, message->bytes, sizeof(uint32_t));
    } else if (event->type == JZ_EVENT_CLOSE) {
        memory->is_closed = true;
        seen.closes++;
    }
    memory->is_inside = false;
}

static void release(void *state)
{
    memory *memory = state;
    seen.disorders += memory->is_closed ? 0 : 1;
    seen.releases++;
    free(memory);
}

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static jz_server *start_with_limit(uint32_t loops, uint32_t max_waiting_events, size_t backpressure_limit)
{
    memset(&seen, 0, sizeof seen);
    jz_route_options working = jz_route_options_default();
    working.execution = JZ_EXECUTION_WORKERS;
    working.max_waiting_events = max_waiting_events;
    working.release_state = release;
    const serving_route routes[] = {{"/work", remember, NULL, &working}, {"/echo", echo, NULL, NULL}};
    jz_options options = serving_options(loops);
    options.worker_threads = 4;
    options.backpressure_limit = backpressure_limit;
    return serving_start(&options, routes, COUNT_OF(routes));
}

static jz_server *start(uint32_t loops, uint32_t max_waiting_events)
{
    return start_with_limit(loops, max_waiting_events, jz_options_default().backpressure_limit);
}

/* Numbers that come back, in order, to each client of a fleet. */
typedef struct echoes {
    uint32_t next[16];
    size_t count;
    size_t disorders;
} echoes;

static void take_echo(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    echoes *echoes = context;
    uint32_t echoed;
    memcpy(&echoed, start, sizeof echoed);
    if (opcode != JZ_OPCODE_BINARY)
        return;
    echoes->disorders += length == sizeof echoed && echoed == echoes->next[number] ? 0 : 1;
    echoes->next[number]++;
    echoes->count++;
}

static void each_connection_s_events_are_in_order_and_its_state_is_released_once(void **state)
{
    (void)state;
    enum { CLIENTS = 8, MESSAGES = 250 };
    static echoes echoes;
    size_t live = test_live_allocations();
    jz_server *server = start(2, 8);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, take_echo, &echoes));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/work", 0));
    for (uint32_t number = 0; number < MESSAGES; number++) {
        for (size_t i = 0; i < CLIENTS; i++)
            assert_true(fleet_send(&fleet, i, JZ_OPCODE_BINARY, &number, sizeof number));
    }
    assert_turning(&fleet, echoes.count >= CLIENTS * MESSAGES);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (i % 2 == 0)
            fleet_close(&fleet, i);
        else
            fleet_reset(&fleet, i);
    }
    assert_eventually(seen.releases == CLIENTS);
    fleet_finish(&fleet);
    jz_server_destroy(server);
    assert_int_equal(echoes.disorders, 0);
    assert_int_equal(seen.disorders, 0);
    assert_int_equal(seen.overlaps, 0);
    assert_int_equal(seen.opens, CLIENTS);
    assert_int_equal(seen.messages, CLIENTS * MESSAGES);
    assert_int_equal(seen.closes, CLIENTS);
    assert_int_equal(seen.releases, CLIENTS);
    assert_int_equal(test_live_allocations(), live);
}

/* One loop, and every worker is in a handler that does not return: the loop continues. */
static void handlers_that_block_delay_nobody_else(void **state)
{
    (void)state;
    enum { BLOCKED = 6, ECHOED = 50 };
    static echoes echoes;
    jz_server *server = start(1, 8);
    fleet fleet;
    assert_true(fleet_start(&fleet, BLOCKED + 1, take_echo, &echoes));
    seen.is_held = true;
    for (size_t i = 0; i < BLOCKED; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/work", 0));
    assert_eventually(seen.held == 4);
    assert_true(fleet_open(&fleet, BLOCKED, jz_server_port(server), "/echo", 0));
    for (uint32_t number = 0; number < ECHOED; number++) {
        assert_true(fleet_send(&fleet, BLOCKED, JZ_OPCODE_BINARY, &number, sizeof number));
        assert_turning(&fleet, echoes.count == number + 1);
    }
    assert_int_equal(seen.opens, 0);
    assert_int_equal(seen.held, 4);
    seen.is_held = false;
    assert_eventually(seen.opens == BLOCKED);
    fleet_finish(&fleet);
    jz_server_destroy(server);
    assert_int_equal(echoes.disorders, 0);
    assert_int_equal(seen.disorders, 0);
}

enum { FLOOD_PAYLOAD = 1000, FLOOD_FRAME = FLOOD_PAYLOAD + 8, FLOOD_MESSAGES = 24000, MORE = 1000, STUCK_MS = 300 };

static const uint8_t *flood_frame(uint32_t number)
{
    static uint8_t frame[FLOOD_FRAME] = {0x82, 0x80 | 126, FLOOD_PAYLOAD >> 8, FLOOD_PAYLOAD & 0xFF};
    memcpy(frame + 8, &number, sizeof number); /* the masking key is zero */
    return frame;
}

/* Sends frames from byte `position` on until all are sent or the peer takes no more. Returns where that is. */
static size_t flood(int descriptor, size_t position, size_t end)
{
    while (position < end) {
        size_t offset = position % FLOOD_FRAME;
        const uint8_t *frame = flood_frame((uint32_t)(position / FLOOD_FRAME));
        ssize_t sent = send(descriptor, frame + offset, FLOOD_FRAME - offset, MSG_NOSIGNAL);
        if (sent > 0)
            position += (size_t)sent;
        else if (errno != EAGAIN || poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, STUCK_MS) <= 0)
            break;
    }
    return position;
}

/* Floods a connection whose handler is held. No more than `waiting` messages, and what one read brought, may wait. */
static void expect_a_flood_to_be_slowed(jz_server *server, size_t waiting)
{
    echoes echoes = {0};
    fleet fleet;
    assert_true(fleet_start(&fleet, 1, take_echo, &echoes));
    assert_true(fleet_open(&fleet, 0, jz_server_port(server), "/work", 0));
    assert_eventually(seen.opens == 1);
    seen.is_held = true;
    size_t before = test_live_bytes();
    const size_t end = (size_t)FLOOD_FRAME * FLOOD_MESSAGES;
    size_t position = flood(fleet.clients[0].descriptor, 0, end);
    size_t held_bytes = test_live_bytes() - before;
    /* The rest waits in the kernel: in the server are only as many as the limit, and the input of one read. */
    assert_that(position < end, "the sender was not slowed");
    assert_true(held_bytes < 2 * (waiting * (FLOOD_PAYLOAD + 256) + 2 * 16 * 1024));
    assert_int_equal(seen.messages, 0);
    seen.is_held = false;
    /* What it has sent, and some more. A busy machine takes its time, but there is always some progress. */
    size_t messages = position / FLOOD_FRAME + MORE;
    messages = messages < FLOOD_MESSAGES ? messages : FLOOD_MESSAGES;
    uint64_t deadline = test_deadline();
    while (echoes.count < messages && test_is_before(deadline)) {
        size_t before = echoes.count;
        position = flood(fleet.clients[0].descriptor, position, messages * FLOOD_FRAME);
        fleet_turn(&fleet);
        if (echoes.count > before)
            deadline = test_deadline();
    }
    assert_int_equal(echoes.count, messages);
    fleet_finish(&fleet);
    jz_server_destroy(server);
    assert_int_equal(echoes.disorders, 0);
    assert_int_equal(seen.disorders, 0);
    assert_int_equal(seen.overlaps, 0);
    assert_int_equal(seen.messages, messages);
    assert_int_equal(seen.releases, 1);
}

static void a_full_queue_slows_the_sender_and_loses_nothing(void **state)
{
    (void)state;
    enum { WAITING = 16 };
    expect_a_flood_to_be_slowed(start(1, WAITING), WAITING);
}

static void a_queue_of_too_many_bytes_slows_the_sender_likewise(void **state)
{
    (void)state;
    enum { WAITING = 16, ANY_NUMBER = 65536 };
    expect_a_flood_to_be_slowed(start_with_limit(1, ANY_NUMBER, WAITING * FLOOD_PAYLOAD), WAITING);
}

static void a_server_that_stops_waits_for_its_workers(void **state)
{
    (void)state;
    enum { CLIENTS = 10, MESSAGES = 20 };
    static echoes echoes;
    size_t live = test_live_allocations();
    jz_server *server = start(2, 8);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, take_echo, &echoes));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/work", 0));
    assert_eventually(seen.opens == CLIENTS);
    seen.is_held = true;
    for (uint32_t number = 0; number < MESSAGES; number++) {
        for (size_t i = 0; i < CLIENTS; i++)
            assert_true(fleet_send(&fleet, i, JZ_OPCODE_BINARY, &number, sizeof number));
    }
    assert_eventually(seen.held == 4);
    jz_server_stop(server);
    fleet_finish(&fleet); /* the connections end while their handlers are held */
    assert_eventually(!jz_ws_is_open((jz_ws){seen.last}));
    assert_int_equal(seen.closes, 0);
    seen.is_held = false;
    jz_server_destroy(server);
    assert_int_equal(seen.closes, CLIENTS);
    assert_int_equal(seen.releases, CLIENTS);
    assert_int_equal(seen.disorders, 0);
    assert_int_equal(seen.overlaps, 0);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_s_events_are_in_order_and_its_state_is_released_once),
        cmocka_unit_test(handlers_that_block_delay_nobody_else),
        cmocka_unit_test(a_full_queue_slows_the_sender_and_loses_nothing),
        cmocka_unit_test(a_queue_of_too_many_bytes_slows_the_sender_likewise),
        cmocka_unit_test(a_server_that_stops_waits_for_its_workers),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("routes on workers", tests, NULL, NULL));
}
