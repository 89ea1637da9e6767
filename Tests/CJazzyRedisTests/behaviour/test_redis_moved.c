/*
 * An address that leads to another Redis later, without Sentinel: a name or an address that is moved. Here it is a
 * link in the place of a unix socket, and connections that there are stay where they are.
 */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/eventually.h"
#include "support/names.h"
#include "support/node.h"
#include "support/redis_server.h"

static redis_server before;
static redis_server after;
static char link_path[128];
static char url[160];
static node here;
static node there;

static void lead_to(const redis_server *redis)
{
    char made[160];
    snprintf(made, sizeof made, "%s.new", link_path);
    assert_int_equal(symlink(redis->path, made), 0);
    assert_int_equal(rename(made, link_path), 0);
}

static int set_up(void **state)
{
    (void)state;
    before = after = (redis_server){0};
    redis_server_start(&before, redis_free_port());
    redis_server_start(&after, redis_free_port());
    snprintf(link_path, sizeof link_path, "%s/link", before.folder);
    snprintf(url, sizeof url, "unix://%s", link_path);
    lead_to(&before);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_server_finish(&after);
    redis_server_finish(&before);
    return 0;
}

static bool is_in_step(const redis_server *redis)
{
    char text[4096];
    redis_server_ask(redis, text, sizeof text, "INFO replication");
    return strstr(text, "master_link_status:up") != NULL;
}

/* The old Redis follows the new one: what is published there comes here, but not what was before it did. */
static void a_subscription_does_not_stay_at_the_old_redis(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, url);
    options.probe_interval_ms = options.probe_timeout_ms = 60000; /* which would ask for the role of the old one */
    node_start(&here, &options);
    node_subscribe(&here, "news");
    lead_to(&after);
    redis_server_do(&before, "REPLICAOF 127.0.0.1 %u", after.port);
    assert_eventually(is_in_step(&before));
    redis_server_do(&before, "CLIENT KILL TYPE normal");
    assert_eventually(redis_server_try(&after, "PUBSUB CHANNELS jazzy:news") == 1);
    assert_eventually(node_gaps_of(&here, "news") >= 1);
    assert_true(node_logged(&here, "it is at another Redis than the publishing connection"));
    assert_eventually(node_statistics(&here).is_up);
    assert_int_equal(node_statistics(&here).reconnects, 2);
    node_finish(&here);
}

/* While `here` went on at the old one, `there` was at the new one. */
static void what_only_the_old_redis_took_is_told_at_the_new_one(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, url);
    node_start(&here, &options);
    lead_to(&after);
    options = node_options(&there, url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    node_publish(&here, "news", "lost");
    assert_eventually(node_statistics(&here).published == 1);
    redis_server_do(&before, "CLIENT KILL TYPE normal");
    assert_eventually(node_gaps_of(&there, "news") == 1);
    node_finish(&here);
    node_finish(&there);
}

static bool is_told(void)
{
    test_clock_advance(100); /* until the connection is made again */
    return node_gaps_of(&there, "news") >= 1;
}

/* The same, long after it was forgotten which topics were published to. */
static void what_the_old_redis_took_hours_ago_is_told_at_the_new_one(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000 };
    test_clock_stop(test_real_clock_ms());
    jz_redis_options options = node_options(&here, url);
    node_start(&here, &options);
    lead_to(&after);
    options = node_options(&there, url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    node_publish(&here, "news", "lost");
    assert_eventually(node_statistics(&here).published == 1);
    assert_eventually(node_statistics(&here).queue_messages == 0);
    test_clock_advance(2 * HOUR_MS);
    for (int i = 0; i < 3; i++) {
        node_publish(&here, "other", "much later");
        assert_eventually(node_statistics(&here).published == 2 + (uint64_t)i);
    }
    redis_server_do(&before, "CLIENT KILL TYPE normal");
    assert_eventually(is_told());
    test_clocks_run();
    node_finish(&here);
    node_finish(&there);
}

/* Who may not ask which Redis it is goes on as before. */
static void a_user_who_may_not_ask_stays(void **state)
{
    (void)state;
    redis_server_do(&before, "ACL SETUSER default -info");
    jz_redis_options options = node_options(&here, url);
    node_start(&here, &options);
    node_subscribe(&here, "news");
    redis_server_do(&before, "CLIENT KILL TYPE normal");
    assert_eventually(node_statistics(&here).reconnects == 1 && node_statistics(&here).is_up);
    assert_int_equal(node_gaps_of(&here, "news"), 0);
    node_finish(&here);
}

/* Of the two connections one is at the old Redis: it is made anew, which is no reason not to start. */
static void a_server_starts_while_its_address_moves(void **state)
{
    (void)state;
    char moving[64];
    snprintf(moving, sizeof moving, "redis://moves.test:%u", after.port);
    names_lead_once_to(before.port);
    jz_redis_options options = node_options(&here, moving);
    node_start(&here, &options);
    assert_eventually(node_statistics(&here).reconnects >= 1);
    assert_eventually(redis_server_do(&before, "CLIENT KILL TYPE normal") == 0 && node_statistics(&here).is_up);
    node_subscribe(&here, "news");
    assert_eventually(redis_server_do(&after, "PUBLISH jazzy:news moved") == 1);
    node_expect(&here, "moved");
    node_finish(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_subscription_does_not_stay_at_the_old_redis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_only_the_old_redis_took_is_told_at_the_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_old_redis_took_hours_ago_is_told_at_the_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_who_may_not_ask_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_starts_while_its_address_moves, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
