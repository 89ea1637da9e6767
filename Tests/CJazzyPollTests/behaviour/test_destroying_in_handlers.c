/* Servers that are destroyed in a handler, of another or their own: no loop waits for another, nor two for each other.
 */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

static struct {
    jz_server *victims[2];
    atomic_int inside; /* handlers that are about to destroy */
    int expected;
    atomic_int destroyed;
    atomic_int closes;
    atomic_int answers;
} seen;

/* The context is which server a message destroys; once as many handlers are here as are expected. */
static void destroy(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    seen.closes += event->type == JZ_EVENT_CLOSE;
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    assert_true(jz_in_handler());
    seen.inside++;
    test_hold_while(seen.inside < seen.expected);
    jz_server_destroy(*(jz_server **)context);
    seen.destroyed++;
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "done", 4);
}

static test_client clients[2];

static jz_server *start(size_t number, size_t victim, bool on_workers)
{
    jz_route_options route = jz_route_options_default();
    route.execution = on_workers ? JZ_EXECUTION_WORKERS : JZ_EXECUTION_LOOP;
    jz_options options = serving_options(1);
    const serving_route routes[] = {{"/", destroy, &seen.victims[victim], &route}};
    seen.victims[number] = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&clients[number], jz_server_port(seen.victims[number]), UPGRADE_REQUEST("/")));
    return seen.victims[number];
}

static void expect_end(size_t number)
{
    assert_true(test_client_sees_end(&clients[number]));
    test_client_close(&clients[number]);
}

static void one_destroys_another(void **state)
{
    (void)state;
    for (int on_workers = 0; on_workers < 2; on_workers++) {
        memset(&seen, 0, sizeof seen);
        seen.expected = 1;
        size_t live = test_live_allocations();
        jz_server *destroyer = start(0, 1, on_workers != 0);
        start(1, 1, false);
        test_client_send_frame(&clients[0], &(test_frame)TEXT("destroy the other"));
        /* It is answered while the other waits for its client's close frame. */
        test_client_expect(&clients[0], JZ_OPCODE_TEXT, "done", 4);
        test_client_send_frame(&clients[1], &(test_frame)CLOSE(1001, ""));
        expect_end(1);
        test_client_close(&clients[0]);
        jz_server_destroy(destroyer);
        assert_int_equal(seen.closes, 2);
        assert_eventually(test_live_allocations() == live);
    }
}

static void two_destroy_each_other(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    seen.expected = 2;
    size_t live = test_live_allocations();
    start(0, 1, false);
    start(1, 0, false);
    test_client_send_frame(&clients[0], &(test_frame)TEXT("destroy the other"));
    test_client_send_frame(&clients[1], &(test_frame)TEXT("destroy the other"));
    for (size_t i = 0; i < 2; i++)
        test_client_send_frame(&clients[i], &(test_frame)CLOSE(1001, ""));
    assert_eventually(seen.destroyed == 2);
    expect_end(0);
    expect_end(1);
    assert_eventually(seen.closes == 2);
    assert_eventually(test_live_allocations() == live);
}

static void one_destroys_itself(void **state)
{
    (void)state;
    for (int on_workers = 0; on_workers < 2; on_workers++) {
        memset(&seen, 0, sizeof seen);
        seen.expected = 1;
        size_t live = test_live_allocations();
        start(0, 0, on_workers != 0);
        test_client_send_frame(&clients[0], &(test_frame)TEXT("destroy yourself"));
        test_client_send_frame(&clients[0], &(test_frame)CLOSE(1001, ""));
        expect_end(0);
        assert_eventually(seen.closes == 1);
        assert_eventually(test_live_allocations() == live);
    }
}

static void elsewhere_there_is_no_handler(void **state)
{
    (void)state;
    assert_false(jz_in_handler());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_destroys_another),
        cmocka_unit_test(two_destroy_each_other),
        cmocka_unit_test(one_destroys_itself),
        cmocka_unit_test(elsewhere_there_is_no_handler),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("destroying in handlers", tests, NULL, NULL));
}
