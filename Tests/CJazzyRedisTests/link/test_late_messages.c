/* Messages that were on their way when their topic was unsubscribed, and come when it is subscribed again. */
#include "envelope/envelope.h"
#include "jazzy.h"
#include "jazzy/broker.h"
#include "link/link.h"
#include "support/testing.h"

enum { ORIGIN = 7 };

#define NEWS "news", 4

static jz_server *server;
static jz_redis *redis;
static jz_redis_topic *batch[1];

static int set_up(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_redis_options options = jz_redis_options_default();
    options.url = "redis://127.0.0.1:6379"; /* nobody connects */
    options.linger_ms = 0;
    server = jz_server_create(NULL, &error);
    redis = jz_redis_create(&options, &error);
    assert_that(server != NULL && redis != NULL, "%s", error.message);
    assert_int_equal(jz_server_history(server, NEWS, NULL, &error), JZ_OK);
    redis->server = server;
    redis->batch = jz_broker_batch_create(server);
    assert_non_null(redis->batch);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_broker_batch_post(redis->batch);
    jz_broker_batch_free(redis->batch);
    jz_redis_free(redis);
    jz_server_destroy(server);
    return 0;
}

static void ask_to_subscribe(void)
{
    assert_true(jz_redis_topics_want(redis->topics, NEWS));
    assert_int_equal(jz_redis_topics_next_to_subscribe(redis->topics, batch, 1), 1);
}

static void ask_to_unsubscribe(void)
{
    jz_redis_topics_unwant(redis->topics, NEWS, 0);
    assert_int_equal(jz_redis_topics_next_to_unsubscribe(redis->topics, 0, batch, 1), 1);
}

static void acknowledge(void)
{
    assert_true(jz_redis_topics_answered(redis->topics, NEWS));
}

/* Whether one that Redis keeps, or does not keep, is passed on to the server. */
static bool is_delivered(bool is_kept)
{
    static uint64_t sequence;
    uint8_t bytes[64];
    char channel[64];
    const jz_redis_envelope envelope = {
        .kind = is_kept ? JZ_REDIS_KEPT_TEXT : JZ_REDIS_TEXT, .origin = ORIGIN, .sequence = ++sequence};
    size_t length = jz_redis_envelope_write(&envelope, bytes);
    if (is_kept) {
        const uint8_t position[16] = {[7] = 1, [15] = (uint8_t)sequence};
        memcpy(bytes + length, position, sizeof position);
        length += sizeof position;
    }
    memcpy(bytes + length, "hello", 5);
    int written = snprintf(channel, sizeof channel, "%snews", redis->settings.options.prefix);
    uint64_t before = redis->received;
    jz_redis_deliver(redis, channel, (size_t)written, (const char *)bytes, length + 5);
    assert_int_equal(redis->unreadable, 0);
    return redis->received > before;
}

static void what_comes_before_the_last_subscription_is_acknowledged_is_dropped(void **state)
{
    (void)state;
    ask_to_subscribe();
    acknowledge();
    assert_true(is_delivered(true) && is_delivered(false));
    ask_to_unsubscribe();
    ask_to_subscribe();
    assert_false(is_delivered(true) || is_delivered(false));
    acknowledge(); /* that it is unsubscribed */
    assert_false(is_delivered(true) || is_delivered(false));
    acknowledge();
    assert_true(is_delivered(true) && is_delivered(false));
}

static void what_comes_while_a_topic_lingers_does_not_count_as_missed(void **state)
{
    (void)state;
    ask_to_subscribe();
    acknowledge();
    assert_true(is_delivered(false));
    jz_redis_topics_unwant(redis->topics, NEWS, 0);
    assert_false(is_delivered(false));
    assert_true(jz_redis_topics_want(redis->topics, NEWS));
    assert_true(is_delivered(false));
    assert_int_equal(jz_redis_topics_counts(redis->topics).gaps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_before_the_last_subscription_is_acknowledged_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_comes_while_a_topic_lingers_does_not_count_as_missed, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("late messages", tests, NULL, NULL));
}
