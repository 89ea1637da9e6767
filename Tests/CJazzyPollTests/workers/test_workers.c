#define _POSIX_C_SOURCE 200809L

#include "workers/workers.h"

#include <sched.h>
#include <stdatomic.h>

#include "shard/errand.h"
#include "workers/work.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/random.h"
#include "support/testing.h"

enum { WORKERS = 4, WORKS = 6, MESSAGES = 500, STACK_SIZE = 1024 * 1024 };

static const jz_message no_message = {.kind = JZ_MESSAGE_TEXT, .bytes = (const uint8_t *)""};
static const jz_event opened = {.type = JZ_EVENT_OPEN, .close_reason = ""};
static const jz_event messaged = {.type = JZ_EVENT_MESSAGE, .close_reason = ""};

static void start(jz_workers *workers, uint32_t count)
{
    jz_error error = {0};
    jz_workers_init(workers, &jz_errand_mail);
    assert_that(jz_workers_start(workers, count, STACK_SIZE, &error) == JZ_OK, "%s", error.message);
}

static void finish(jz_workers *workers)
{
    jz_workers_finish(workers);
    jz_workers_destroy(workers);
}

static jz_work *create(jz_workers *workers, const jz_route *route, uint64_t number)
{
    jz_work *work = jz_work_create(workers, (jz_ws){number}, route);
    assert_non_null(work);
    return work;
}

static void add_close(jz_work *work)
{
    const jz_event closed = {.type = JZ_EVENT_CLOSE,
                             .close_code = 1000,
                             .was_clean = true,
                             .close_reason = "enough",
                             .close_reason_length = 6};
    assert_int_not_equal(jz_work_add(work, &closed, &no_message), JZ_WORK_OUT_OF_MEMORY);
}

/* What the handlers of several connections have seen; they do not assert, because they run on other threads. */
typedef struct record {
    atomic_size_t next[WORKS]; /* the number of the next message */
    atomic_bool is_inside[WORKS];
    atomic_size_t overlaps;
    atomic_size_t disorders;
    atomic_size_t closes;
    atomic_size_t releases;
} record;

static void record_event(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    record *record = context;
    if (atomic_exchange(&record->is_inside[ws.value], true))
        record->overlaps++;
    if (jz_ws_state(ws) == NULL)
        jz_ws_set_state(ws, record);
    if (event->type == JZ_EVENT_MESSAGE) {
        size_t number = 0;
        if (message->length == sizeof number)
            memcpy(&number, message->bytes, sizeof number);
        if (number != record->next[ws.value])
            record->disorders++;
        record->next[ws.value]++;
        if (number % 16 == 0)
            sched_yield();
    } else if (event->type == JZ_EVENT_CLOSE) {
        if (event->close_reason_length != 6 || memcmp(event->close_reason, "enough", 6) != 0)
            record->disorders++;
        record->closes++;
    }
    record->is_inside[ws.value] = false;
}

static void record_release(void *state)
{
    ((record *)state)->releases++;
}

static void each_connection_s_events_run_in_order_and_never_overlap(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    static record record;
    const jz_route route = {.handler = record_event,
                            .context = &record,
                            .options = {.max_waiting_events = WORKS * MESSAGES, .backpressure_limit = SIZE_MAX},
                            .options.release_state = record_release};
    jz_workers workers;
    start(&workers, WORKERS);
    jz_work *works[WORKS];
    for (size_t i = 0; i < WORKS; i++) {
        works[i] = create(&workers, &route, i);
        assert_int_equal(jz_work_add(works[i], &opened, &no_message), JZ_WORK_ADDED);
    }
    for (size_t number = 0; number < MESSAGES; number++) {
        /* It is copied: the next one is written to the same place. */
        const jz_message message = {JZ_MESSAGE_BINARY, (const uint8_t *)&number, sizeof number};
        for (size_t i = 0; i < WORKS; i++)
            assert_int_equal(jz_work_add(works[i], &messaged, &message), JZ_WORK_ADDED);
    }
    for (size_t i = 0; i < WORKS; i++)
        add_close(works[i]);
    finish(&workers); /* only when all has been run */
    for (size_t i = 0; i < WORKS; i++)
        assert_int_equal(record.next[i], MESSAGES);
    assert_int_equal(record.overlaps, 0);
    assert_int_equal(record.disorders, 0);
    assert_int_equal(record.closes, WORKS);
    assert_int_equal(record.releases, WORKS);
    assert_int_equal(test_live_allocations(), live);
}

/* Handlers that wait until all of them are running. */
typedef struct meeting {
    atomic_size_t present;
    atomic_size_t met;
    size_t expected;
} meeting;

static void meet(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    meeting *meeting = context;
    if (event->type != JZ_EVENT_OPEN)
        return;
    uint64_t deadline = test_deadline();
    meeting->present++;
    while (meeting->present < meeting->expected) {
        if (!test_pause_before(deadline))
            return;
    }
    meeting->met++;
}

static void as_many_handlers_as_workers_run_at_once(void **state)
{
    (void)state;
    static meeting meeting = {.expected = WORKERS};
    const jz_route route = {
        .handler = meet, .context = &meeting, .options = {.max_waiting_events = 10, .backpressure_limit = SIZE_MAX}};
    jz_workers workers;
    start(&workers, WORKERS);
    for (size_t i = 0; i < WORKERS; i++) {
        jz_work *work = create(&workers, &route, i);
        assert_int_equal(jz_work_add(work, &opened, &no_message), JZ_WORK_ADDED);
        add_close(work);
    }
    finish(&workers);
    assert_int_equal(meeting.met, WORKERS);
}

/* A handler that is held back. */
typedef struct gate {
    atomic_bool is_open;
    atomic_size_t entered;
    atomic_size_t passed;
} gate;

static void pass_gate(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)event;
    (void)message;
    gate *gate = context;
    gate->entered++;
    test_hold_while(!gate->is_open);
    gate->passed++;
}

static void a_work_is_full_when_as_many_events_wait_as_may(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 8};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        static gate gate;
        gate.is_open = false;
        gate.entered = 0;
        const jz_route route = {.handler = pass_gate,
                                .context = &gate,
                                .options = {.max_waiting_events = limits[i], .backpressure_limit = SIZE_MAX}};
        jz_workers workers;
        start(&workers, 2);
        jz_work *work = create(&workers, &route, 1);
        jz_work_result first = jz_work_add(work, &opened, &no_message);
        assert_int_equal(first, limits[i] == 1 ? JZ_WORK_FULL : JZ_WORK_ADDED);
        assert_eventually(gate.entered == 1); /* that one runs, and does not wait any more */
        for (size_t waiting = 1; waiting <= 2 * limits[i]; waiting++)
            assert_int_equal(jz_work_add(work, &messaged, &no_message),
                             waiting >= limits[i] ? JZ_WORK_FULL : JZ_WORK_ADDED);
        gate.is_open = true;
        add_close(work);
        finish(&workers);
        assert_int_equal(gate.entered, 2 * limits[i] + 2); /* being full loses nothing */
    }
}

/* How many events of the busy connection had been run when the other's was. */
typedef struct turn {
    const gate *busy;
    atomic_size_t passed_before;
} turn;

static void note_turn(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    turn *turn = context;
    if (event->type == JZ_EVENT_MESSAGE)
        turn->passed_before = turn->busy->passed;
}

static void a_busy_connection_does_not_keep_the_workers_from_others(void **state)
{
    (void)state;
    static gate busy;
    static turn turn = {.busy = &busy};
    const jz_route busy_route = {
        .handler = pass_gate, .context = &busy, .options = {.max_waiting_events = 100, .backpressure_limit = SIZE_MAX}};
    const jz_route route = {
        .handler = note_turn, .context = &turn, .options = {.max_waiting_events = 100, .backpressure_limit = SIZE_MAX}};
    jz_workers workers;
    start(&workers, 1);
    jz_work *first = create(&workers, &busy_route, 1);
    jz_work *second = create(&workers, &route, 2);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(jz_work_add(first, &messaged, &no_message), JZ_WORK_ADDED);
    assert_eventually(busy.entered == 1);
    assert_int_equal(jz_work_add(second, &messaged, &no_message), JZ_WORK_ADDED);
    add_close(second);
    add_close(first);
    busy.is_open = true;
    finish(&workers);
    assert_int_equal(turn.passed_before, 1);
    assert_int_equal(busy.passed, 51);
}

static void the_close_event_needs_no_memory(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    static record record;
    const jz_route route = {.handler = record_event,
                            .context = &record,
                            .options = {.max_waiting_events = 10, .backpressure_limit = SIZE_MAX}};
    jz_workers workers;
    jz_workers_init(&workers, &jz_errand_mail);
    jz_work *work = create(&workers, &route, 0);
    assert_int_equal(jz_work_add(work, &opened, &no_message), JZ_WORK_ADDED);
    const jz_event closed = {.type = JZ_EVENT_CLOSE, .close_reason = "enough", .close_reason_length = 6};
    test_allocations_fail_after(0);
    jz_work_result message_result = jz_work_add(work, &messaged, &no_message);
    jz_work_result close_result = jz_work_add(work, &closed, &no_message);
    test_allocations_succeed();
    assert_int_equal(message_result, JZ_WORK_OUT_OF_MEMORY);
    assert_int_equal(close_result, JZ_WORK_ADDED);
    assert_int_equal(jz_workers_start(&workers, 1, STACK_SIZE, NULL), JZ_OK);
    finish(&workers);
    assert_int_equal(record.closes, 1);
    assert_int_equal(record.next[0], 0);
    assert_int_equal(record.disorders, 0);
    assert_int_equal(test_live_allocations(), live);
}

static void without_memory_there_is_no_work_and_there_are_no_workers(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    const jz_route route = {.options = {.max_waiting_events = 10, .backpressure_limit = SIZE_MAX}};
    jz_workers workers;
    jz_workers_init(&workers, &jz_errand_mail);
    for (size_t allowed = 0; allowed < 2; allowed++) {
        test_allocations_fail_after(allowed);
        const jz_work *work = jz_work_create(&workers, (jz_ws){1}, &route);
        test_allocations_succeed();
        assert_null(work);
        assert_int_equal(test_live_allocations(), live);
    }
    jz_error error = {0};
    test_allocations_fail_after(0);
    jz_status status = jz_workers_start(&workers, 4, STACK_SIZE, &error);
    test_allocations_succeed();
    assert_int_not_equal(status, JZ_OK);
    assert_int_equal(error.status, status);
    finish(&workers);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_s_events_run_in_order_and_never_overlap),
        cmocka_unit_test(as_many_handlers_as_workers_run_at_once),
        cmocka_unit_test(a_work_is_full_when_as_many_events_wait_as_may),
        cmocka_unit_test(a_busy_connection_does_not_keep_the_workers_from_others),
        cmocka_unit_test(the_close_event_needs_no_memory),
        cmocka_unit_test(without_memory_there_is_no_work_and_there_are_no_workers),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("workers", tests, NULL, NULL));
}
