#include "shard/errand.h"

#include "shard/server.h"
#include "support/allocation.h"
#include "support/testing.h"
#include "workers/work.h"

static jz_server *server;

static jz_errand *create(void)
{
    jz_errand *errand = jz_errand_create_topic_closing((jz_text){"news", 4}, 1000, (jz_text){"", 0});
    assert_non_null(errand);
    return errand;
}

static int create_server_that_has_ended(void **state)
{
    (void)state;
    server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    assert_null(jz_loop_close_mailbox(&server->shards[0].turn.loop));
    return 0;
}

static int destroy_server(void **state)
{
    (void)state;
    jz_server_destroy(server);
    return 0;
}

/* Whoever has an errand for each loop links them, and posts one after the other. */
static void an_errand_that_is_linked_to_others_is_refused_alone(void **state)
{
    (void)state;
    jz_errand *errand = create();
    jz_errand *other = create();
    errand->letter.next = &other->letter;
    size_t live = test_live_allocations();
    assert_int_equal(jz_errand_post(&server->shards[0], errand), JZ_SEND_CLOSED);
    assert_int_equal(test_live_allocations(), live - 1);
    jz_errand_free(other);
}

static void a_chain_is_refused_as_a_whole(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_errand *first = create();
    jz_errand *last = create();
    first->letter.next = NULL;
    last->letter.next = &first->letter;
    assert_int_equal(jz_errand_post_chain(&server->shards[0], last, first), JZ_SEND_CLOSED);
    assert_int_equal(test_live_allocations(), live);
}

static void count_event(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)event;
    (void)message;
    ++*(int *)context;
}

static void who_awaits_the_verdict_of_an_errand_that_is_refused_goes_on(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    int count = 0;
    const jz_route route = {.handler = count_event,
                            .context = &count,
                            .options = {.max_waiting_events = 10, .backpressure_limit = SIZE_MAX}};
    jz_workers workers;
    jz_workers_init(&workers, &jz_errand_mail);
    jz_work *work = jz_work_create(&workers, (jz_ws){1}, &route);
    jz_errand *errand = create();
    jz_errand_set_asker(errand, work->ws, work);
    const jz_message message = {.kind = JZ_MESSAGE_TEXT, .bytes = (const uint8_t *)""};
    const jz_event messaged = {.type = JZ_EVENT_MESSAGE, .close_reason = ""};
    const jz_event closed = {.type = JZ_EVENT_CLOSE, .close_reason = ""};
    assert_int_equal(jz_work_add(work, &messaged, &message), JZ_WORK_ADDED);
    assert_int_equal(jz_work_add(work, &closed, &message), JZ_WORK_ADDED);
    assert_int_equal(jz_workers_now(&workers).queued, 0);
    assert_int_equal(jz_errand_post(&server->shards[0], errand), JZ_SEND_CLOSED);
    assert_int_equal(jz_workers_now(&workers).queued, 1);
    assert_int_equal(jz_workers_start(&workers, 1, 1024 * 1024, NULL), JZ_OK);
    jz_workers_finish(&workers);
    jz_workers_destroy(&workers);
    assert_int_equal(count, 2);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_errand_that_is_linked_to_others_is_refused_alone),
        cmocka_unit_test(a_chain_is_refused_as_a_whole),
        cmocka_unit_test(who_awaits_the_verdict_of_an_errand_that_is_refused_goes_on),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("errands", tests, create_server_that_has_ended, destroy_server));
}
