/* A hundred thousand topics that get and lose subscribers on several loops, and the broker that is told of them. */
#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/joining_broker.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MANY = 100000, PARTS = 10, LOOPS = 2 };

/* "+0" to "+9" subscribe to a tenth of them, "-0" to "-9" unsubscribe; answered with whether that went well. */
static void storm(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    size_t failures = 0;
    const uint32_t first = (uint32_t)(message->bytes[1] - '0') * (MANY / PARTS);
    for (uint32_t i = first; i < first + MANY / PARTS; i++) {
        jz_send_status status = message->bytes[0] == '+' ? jz_ws_subscribe(ws, (const char *)&i, sizeof i)
                                                         : jz_ws_unsubscribe(ws, (const char *)&i, sizeof i);
        failures += status == JZ_SEND_SENT ? 0 : 1;
    }
    jz_ws_send(ws, JZ_MESSAGE_TEXT, failures == 0 ? "done" : "oops", 4);
}

typedef struct fixture {
    joining_broker broker;
    jz_server *server;
    test_client clients[LOOPS]; /* one on each loop */
} fixture;

static void set_up(fixture *fixture)
{
    jz_error error = {0};
    const jz_options options = serving_options(LOOPS);
    joining_broker_start(&fixture->broker, 1, 0);
    const jz_broker broker = joining_broker_for(&fixture->broker, 0);
    fixture->server = jz_server_create(&options, &error);
    assert_that(fixture->server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(fixture->server, "/", NULL, storm, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen(fixture->server, "127.0.0.1", 0, &error), JZ_OK);
    assert_int_equal(jz_server_join(fixture->server, &broker, &error), JZ_OK);
    assert_that(jz_server_start(fixture->server, &error) == JZ_OK, "%s", error.message);
    for (size_t i = 0; i < LOOPS; i++)
        assert_true(test_client_open(&fixture->clients[i], jz_server_port(fixture->server), UPGRADE_REQUEST("/")));
}

static void tear_down(fixture *fixture)
{
    jz_server_destroy(fixture->server);
    joining_broker_finish(&fixture->broker);
}

static void all_say(fixture *fixture, char what)
{
    for (int part = 0; part < PARTS; part++) {
        const char text[] = {what, (char)('0' + part)};
        const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, sizeof text, sizeof text}};
        for (size_t i = 0; i < LOOPS; i++)
            test_client_send_frame(&fixture->clients[i], &frame);
        for (size_t i = 0; i < LOOPS; i++)
            test_client_expect(&fixture->clients[i], JZ_OPCODE_TEXT, "done", 4);
    }
}

/* Both loops at once: each topic comes and goes once for the server, or several times, as they overtake each other. */
static void the_broker_follows_a_storm_on_every_loop(void **state)
{
    (void)state;
    static fixture fixture;
    size_t live = test_live_allocations();
    set_up(&fixture);
    for (size_t round = 0; round < 2; round++) {
        all_say(&fixture, '+');
        assert_int_equal(joining_broker_topic_count(&fixture.broker, 0), MANY);
        all_say(&fixture, '-');
        assert_int_equal(joining_broker_topic_count(&fixture.broker, 0), 0);
    }
    for (size_t i = 0; i < LOOPS; i++)
        test_client_close(&fixture.clients[i]);
    tear_down(&fixture);
    assert_int_equal(test_live_allocations(), live);
}

static void a_connection_that_ends_takes_all_its_topics_with_it_unless_another_has_them(void **state)
{
    (void)state;
    static fixture fixture;
    set_up(&fixture);
    all_say(&fixture, '+');
    jz_statistics statistics;
    for (size_t i = 0; i < LOOPS; i++) {
        const uint32_t any = 4711;
        test_client_reset(&fixture.clients[i]);
        assert_eventually(jz_server_subscriber_count(fixture.server, (const char *)&any, sizeof any) == LOOPS - 1 - i);
        /* The topics were removed from their shard; the broker is told of one after the other. */
        assert_eventually(joining_broker_topic_count(&fixture.broker, 0) == (i + 1 < LOOPS ? MANY : 0));
    }
    jz_server_statistics(fixture.server, &statistics);
    assert_int_equal(statistics.broker.topics, 0);
    tear_down(&fixture);
}

static void a_server_that_is_found_again_tells_all_its_topics(void **state)
{
    (void)state;
    static fixture fixture;
    set_up(&fixture);
    all_say(&fixture, '+');
    joining_broker_reach(&fixture.broker, 0, false);
    joining_broker_reach(&fixture.broker, 0, true);
    assert_eventually(joining_broker_topic_count(&fixture.broker, 0) == MANY);
    for (size_t i = 0; i < LOOPS; i++)
        test_client_close(&fixture.clients[i]);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_broker_follows_a_storm_on_every_loop),
        cmocka_unit_test(a_connection_that_ends_takes_all_its_topics_with_it_unless_another_has_them),
        cmocka_unit_test(a_server_that_is_found_again_tells_all_its_topics),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("topic storms", tests, NULL, NULL));
}
