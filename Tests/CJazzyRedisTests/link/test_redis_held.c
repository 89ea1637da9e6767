/* Messages in the publishing queue that wait for a turn of topics, and those around them. */
#define _DEFAULT_SOURCE

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/clock.h"
#include "link/queue.h"
#include "support/testing.h"

static jz_redis_bell bell;
static jz_redis_queue queue;

static int set_up(void **state)
{
    (void)state;
    queue = (jz_redis_queue){.prefix = "p:", .prefix_length = 2, .limit = 1 << 20, .batch = 1, .bell = &bell};
    assert_true(jz_redis_bell_open(&bell));
    assert_true(jz_redis_queue_init(&queue, 7));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_redis_queue_destroy(&queue);
    jz_redis_bell_close(&bell);
    return 0;
}

static void publish(const char *letter, uint64_t turn)
{
    assert_true(jz_redis_queue_publish(
        &queue,
        &(jz_redis_publishing){
            .topic = "t", .topic_length = 1, .kind = JZ_REDIS_TEXT, .turn = turn, .bytes = letter, .length = 1}));
}

/* The letters that are sent now, and answered. */
static const char *sent(void)
{
    static char letters[64];
    size_t count = 0;
    struct iovec areas[8];
    jz_redis_queue_advance(&queue, true, jz_redis_now_ms());
    size_t places = jz_redis_queue_areas(&queue, areas, 8);
    for (size_t i = 0; i < places; i++) {
        jz_redis_queue_sent(&queue, areas[i].iov_len);
        while (jz_redis_queue_awaited(&queue) != NULL) {
            const char *end = queue.awaiting->bytes + jz_redis_queue_awaited(&queue)->end;
            letters[count++] = end[-3];
            assert_true(jz_redis_queue_answered(&queue));
        }
    }
    letters[count] = '\0';
    return letters;
}

static void what_is_behind_waits_too_and_what_is_in_front_does_not(void **state)
{
    (void)state;
    publish("a", 0);
    publish("b", 5);
    publish("c", 0);
    assert_string_equal(sent(), "a");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 4), 5);
    assert_string_equal(sent(), "");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 5), 0);
    assert_string_equal(sent(), "bc");
    publish("d", 5); /* settled already */
    assert_string_equal(sent(), "d");
}

static void a_later_turn_does_not_hold_what_waits_for_an_earlier_one(void **state)
{
    (void)state;
    publish("a", 5);
    publish("b", 5);
    publish("c", 6);
    publish("d", 7); /* with the one before: what is not sent next may wait for more */
    assert_string_equal(sent(), "");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 5), 0);
    assert_string_equal(sent(), "ab");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 6), 7);
    publish("e", 8);
    assert_string_equal(sent(), "");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 7), 0);
    assert_string_equal(sent(), "cd");
    assert_int_equal(jz_redis_queue_settle_turns(&queue, 8), 0);
    assert_string_equal(sent(), "e");
}

/* Who flushes leaves it to the thread, which sees to it that no wait is too long. */
static void it_is_not_sent_by_who_flushes(void **state)
{
    (void)state;
    int ends[2];
    uint64_t look_ms;
    char bytes[256];
    struct pollfd rung = {.fd = bell.heard, .events = POLLIN};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    queue.batch = 1000;
    queue.published_ms = jz_redis_now_ms();
    assert_true(jz_redis_queue_sleep(&queue, true, ends[0], jz_redis_now_ms(), &look_ms));
    publish("a", 5);
    jz_redis_queue_flush(&queue);
    assert_int_equal(poll(&rung, 1, 0), 1);
    assert_int_equal(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT), -1);
    jz_redis_queue_wake(&queue);
    assert_true(jz_redis_queue_sleep(&queue, true, ends[0], jz_redis_now_ms(), &look_ms)); /* and does not spin */
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_behind_waits_too_and_what_is_in_front_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_turn_does_not_hold_what_waits_for_an_earlier_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_not_sent_by_who_flushes, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
