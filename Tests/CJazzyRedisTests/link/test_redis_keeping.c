/* Messages that Redis is to keep, in the publishing queue: the script in front, and what is refused in their order. */
#define _DEFAULT_SOURCE

#include "history/scripts.h"
#include "link/queue.h"
#include "support/testing.h"

static jz_redis_bell bell;
static jz_redis_queue queue;
static char sent_bytes[64 * 1024];

static int set_up(void **state)
{
    (void)state;
    queue = (jz_redis_queue){.prefix = "p:", .prefix_length = 2, .limit = 1 << 20, .batch = 1000, .bell = &bell};
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

static bool keep(const char *text)
{
    return jz_redis_queue_keep(&queue, &(jz_redis_publishing){.topic = "t",
                                                              .topic_length = 1,
                                                              .kind = JZ_REDIS_KEPT_TEXT,
                                                              .bytes = text,
                                                              .length = strlen(text),
                                                              .bounds = {100, 1000, 1000}});
}

/* What is sent now, a letter for each command: S for the script, else the payload; and the number before it behind that
   where it is given. Each payload is one letter. */
static const char *sent(void)
{
    static char texts[128];
    struct iovec areas[32];
    size_t length = 0;
    size_t count = 0;
    jz_redis_queue_advance(&queue, true, 1);
    size_t places = jz_redis_queue_areas(&queue, areas, 32);
    for (size_t i = 0; i < places; i++) {
        assert_true(length + areas[i].iov_len < sizeof sent_bytes);
        memcpy(sent_bytes + length, areas[i].iov_base, areas[i].iov_len);
        length += areas[i].iov_len;
    }
    jz_redis_queue_sent(&queue, length);
    sent_bytes[length] = '\0';
    for (size_t at = 0; at + 20 < length; at++) {
        if (memcmp(sent_bytes + at, "\r\n$4\r\nLOAD\r\n", 12) == 0)
            texts[count++] = 'S';
        else if (memcmp(sent_bytes + at, "\r\n$1\r\n", 6) == 0 && memcmp(sent_bytes + at + 7, "\r\n$8\r\n", 6) == 0)
            texts[count++] = sent_bytes[at + 6];
        else if (memcmp(sent_bytes + at, "\r\n$20\r\n0000", 11) == 0 && sent_bytes[at + 26] != '0')
            texts[count++] = sent_bytes[at + 26];
    }
    texts[count] = '\0';
    return texts;
}

static void answer(int count)
{
    for (int i = 0; i < count; i++)
        assert_true(jz_redis_queue_answered(&queue));
}

static void refuse_for_now(int count, bool is_script_missing)
{
    for (int i = 0; i < count; i++)
        assert_true(jz_redis_queue_retry(&queue, is_script_missing));
}

static size_t messages(void)
{
    size_t bytes;
    size_t messages;
    jz_redis_queue_advance(&queue, false, 1);
    jz_redis_queue_measure(&queue, &bytes, &messages);
    assert_true((bytes == 0) == (messages == 0));
    return messages;
}

static void the_script_comes_first_and_each_says_what_was_before(void **state)
{
    (void)state;
    keep("a");
    keep("b");
    keep("c");
    assert_string_equal(sent(), "Sab1c2");
    answer(4);
    assert_int_equal(messages(), 0);
    assert_int_equal(queue.accepted, 3);
    keep("d");
    assert_string_equal(sent(), "d3");
    answer(1);
}

static void without_the_script_all_go_again_behind_it(void **state)
{
    (void)state;
    keep("a");
    assert_string_equal(sent(), "Sa");
    answer(2);
    keep("b");
    keep("c");
    assert_string_equal(sent(), "b1c2");
    refuse_for_now(1, true);
    refuse_for_now(1, false); /* another process has loaded it meanwhile: it is out of turn */
    keep("d");
    assert_int_equal(messages(), 3);
    assert_string_equal(sent(), "Sb1c2");
    answer(3);
    assert_string_equal(sent(), "d3");
    answer(1);
    assert_int_equal(messages(), 0);
    assert_int_equal(queue.accepted, 4);
}

static void what_is_behind_one_that_is_lost_goes_without_it(void **state)
{
    (void)state;
    keep("a");
    keep("b");
    keep("c");
    assert_string_equal(sent(), "Sab1c2");
    answer(1);
    assert_true(jz_redis_queue_refused(&queue)); /* a: no memory */
    refuse_for_now(2, false);
    assert_string_equal(sent(), "b1c2");
    refuse_for_now(2, false);
    assert_string_equal(sent(), "bc");
    answer(2);
    assert_int_equal(queue.dropped, 1);
    assert_int_equal(queue.accepted, 2);
}

static void what_is_refused_again_and_again_is_given_up_alone(void **state)
{
    (void)state;
    keep("a");
    assert_string_equal(sent(), "Sa");
    answer(1);
    for (int i = 0; i < 4; i++) {
        refuse_for_now(1, true);
        assert_string_equal(sent(), "Sa");
        answer(1);
    }
    refuse_for_now(1, true);
    assert_int_equal(queue.dropped, 1);
    keep("b"); /* which does not wait for it */
    jz_redis_queue_hold_announcements(&queue, UINT64_MAX);
    assert_string_equal(sent(), "b");
    answer(1);
    assert_int_equal(messages(), 0);
}

static void after_a_lost_connection_all_go_again_in_their_order(void **state)
{
    (void)state;
    keep("a");
    keep("b");
    assert_string_equal(sent(), "Sab1");
    answer(1);
    refuse_for_now(1, true);
    keep("c");
    assert_false(jz_redis_queue_rewind(&queue));
    assert_true(jz_redis_queue_needs_script(&queue));
    assert_true(jz_redis_queue_load_script(&queue));
    assert_string_equal(sent(), "Sab1");
    answer(3);
    assert_string_equal(sent(), "c2");
    answer(1);
    assert_int_equal(messages(), 0);
    assert_int_equal(queue.accepted, 3);
}

static void what_does_not_fit_takes_no_number(void **state)
{
    (void)state;
    static char large[1 << 20];
    memset(large, 'x', sizeof large - 1);
    keep("a");
    assert_false(keep(large));
    keep("b");
    assert_string_equal(sent(), "Sab1");
    answer(3);
    assert_int_equal(queue.dropped, 1);
    assert_int_equal(jz_redis_queue_announcements(&queue), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_script_comes_first_and_each_says_what_was_before),
        TEST(without_the_script_all_go_again_behind_it),
        TEST(what_is_behind_one_that_is_lost_goes_without_it),
        TEST(what_is_refused_again_and_again_is_given_up_alone),
        TEST(after_a_lost_connection_all_go_again_in_their_order),
        TEST(what_does_not_fit_takes_no_number),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kept messages in the queue", tests, NULL, NULL));
}
