/* The publishing queue alone: when it sends, what it keeps, what it sends again, and whom it wakes. */
#define _DEFAULT_SOURCE

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/clock.h"
#include "link/queue.h"
#include "support/testing.h"

enum { ROOM = 1 << 20, SIZE_OF_ONE = 54 + sizeof(jz_redis_queued) /* a message "a" to "t" */, WHOLE_BATCH = 20 };

static jz_redis_bell bell;
static jz_redis_queue queue;
static int ends[2];

static int set_up(void **state)
{
    (void)state;
    queue = (jz_redis_queue){.prefix = "p:", .prefix_length = 2, .limit = ROOM, .batch = 1000, .bell = &bell};
    assert_true(jz_redis_bell_open(&bell));
    assert_true(jz_redis_queue_init(&queue, 7));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_redis_queue_destroy(&queue);
    jz_redis_bell_close(&bell);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static bool publish(const char *text)
{
    return jz_redis_queue_publish(
        &queue, &(jz_redis_publishing){
                    .topic = "t", .topic_length = 1, .kind = JZ_REDIS_TEXT, .bytes = text, .length = strlen(text)});
}

/* As the thread does, soon after a message came. */
static bool falls_asleep(bool is_up, int descriptor)
{
    uint64_t look_ms;
    queue.published_ms = jz_redis_now_ms();
    return jz_redis_queue_sleep(&queue, is_up, descriptor, queue.published_ms, &look_ms);
}

static void flush(void)
{
    jz_redis_queue_flush(&queue);
}

/* How many bytes were sent by who flushes. */
static size_t received(char *bytes, size_t size)
{
    ssize_t length = recv(ends[1], bytes, size, MSG_DONTWAIT);
    return length > 0 ? (size_t)length : 0;
}

static bool has_rung(void)
{
    struct pollfd watched = {.fd = bell.heard, .events = POLLIN};
    bool has = poll(&watched, 1, 0) == 1;
    jz_redis_bell_clear(&bell);
    return has;
}

/* What is to be sent, as the last letters of the payloads; counts as sent. */
static const char *sent(void)
{
    static char texts[64];
    struct iovec areas[8];
    size_t count = 0;
    size_t length = 0;
    size_t places = jz_redis_queue_areas(&queue, areas, 8);
    for (size_t i = 0; i < places; i++) {
        const char *bytes = areas[i].iov_base;
        for (size_t at = 2; at < areas[i].iov_len; at++) {
            bool is_end =
                bytes[at] == '\n' && bytes[at - 1] == '\r' && (at + 1 == areas[i].iov_len || bytes[at + 1] == '*');
            if (is_end)
                texts[count++] = bytes[at - 2];
        }
        length += areas[i].iov_len;
    }
    texts[count] = '\0';
    jz_redis_queue_sent(&queue, length);
    return texts;
}

static void answer(int count)
{
    for (int i = 0; i < count; i++)
        jz_redis_queue_answered(&queue);
}

static size_t bytes(void)
{
    size_t bytes;
    size_t messages;
    jz_redis_queue_measure(&queue, &bytes, &messages);
    assert_int_equal(bytes, messages * SIZE_OF_ONE);
    return bytes;
}

static void what_comes_while_an_answer_is_outstanding_is_gathered(void **state)
{
    (void)state;
    assert_true(publish("a"));
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "a");
    publish("b");
    publish("c");
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "");
    answer(1);
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "bc");
    answer(2);
    jz_redis_queue_advance(&queue, true, 1);
    assert_int_equal(bytes(), 0);
    assert_null(jz_redis_queue_awaited(&queue));
}

static void a_whole_batch_does_not_wait_for_the_answer(void **state)
{
    (void)state;
    publish("a");
    jz_redis_queue_advance(&queue, true, 1);
    sent();
    for (int i = 0; i < WHOLE_BATCH; i++)
        publish("b");
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "bbbbbbbbbbbbbbbbbbbb");
}

static void without_a_connection_nothing_is_sent_and_nobody_woken(void **state)
{
    (void)state;
    assert_true(falls_asleep(false, -1));
    for (int i = 0; i < 100; i++)
        publish("a");
    assert_false(has_rung());
    jz_redis_queue_wake(&queue);
    jz_redis_queue_advance(&queue, false, 1);
    assert_string_equal(sent(), "");
    assert_int_equal(bytes(), 100 * SIZE_OF_ONE);
}

static void the_thread_is_woken_once_and_only_where_it_sleeps(void **state)
{
    (void)state;
    publish("a");
    assert_false(has_rung()); /* it does not sleep */
    assert_false(falls_asleep(true, -1));
    jz_redis_queue_advance(&queue, true, 1);
    sent();
    assert_true(falls_asleep(true, -1));
    publish("b");
    assert_false(has_rung()); /* the answer wakes it */
    for (int i = 0; i < WHOLE_BATCH; i++)
        publish("c");
    assert_true(has_rung()); /* a batch */
    publish("d");
    assert_false(has_rung());
}

static void who_flushes_sends_all_that_was_gathered_where_nothing_is_outstanding(void **state)
{
    (void)state;
    char bytes[256];
    assert_true(falls_asleep(true, ends[0]));
    publish("a");
    publish("b");
    assert_int_equal(received(bytes, sizeof bytes), 0);
    flush();
    assert_false(has_rung());
    /* A question in front of them, so that Redis serves subscribers before it answers. */
    assert_int_equal(received(bytes, sizeof bytes), 14 + 2 * 54);
    assert_memory_equal(bytes, "*1\r\n$4\r\nROLE\r\n*3\r\n$7\r\nPUBLISH\r\n$3\r\np:t\r\n", 14 + 26);
    publish("c"); /* waits for the answer */
    flush();
    assert_int_equal(received(bytes, sizeof bytes), 0);
    jz_redis_queue_wake(&queue);
    assert_int_equal(jz_redis_queue_awaited(&queue)->kind, JZ_REDIS_QUEUED_ROLE);
    answer(1);
    assert_int_equal(jz_redis_queue_awaited(&queue)->kind, JZ_REDIS_QUEUED_MESSAGE);
    answer(2);
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "c");
    assert_int_equal(atomic_load(&queue.accepted), 2);
}

static void what_cannot_be_sent_directly_is_left_to_the_thread(void **state)
{
    (void)state;
    assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
    assert_true(falls_asleep(true, ends[0]));
    publish("a");
    assert_false(has_rung());
    flush();
    assert_true(has_rung());
    flush();
    assert_false(has_rung());
    jz_redis_queue_wake(&queue);
    assert_string_equal(sent(), "Ea"); /* and the question, ROLE */
}

/* Within TLS, for instance. */
static void a_flush_wakes_the_thread_where_only_that_can_send(void **state)
{
    (void)state;
    assert_true(falls_asleep(true, -1));
    publish("a");
    publish("b");
    assert_false(has_rung());
    flush();
    assert_true(has_rung());
    publish("c");
    flush();
    assert_false(has_rung());
    jz_redis_queue_wake(&queue);
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "abc");
}

static void a_whole_batch_does_not_wait_for_the_flush(void **state)
{
    (void)state;
    assert_true(falls_asleep(true, ends[0]));
    for (int i = 0; i < WHOLE_BATCH; i++)
        publish("a");
    assert_true(has_rung());
    jz_redis_queue_wake(&queue);
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "aaaaaaaaaaaaaaaaaaaa");
    flush();
    assert_false(has_rung());
}

/* A handler that has published does not return, and so does not flush. */
static void what_is_never_flushed_goes_on_its_way_too(void **state)
{
    (void)state;
    static const struct {
        uint64_t since_last_ms; /* since a message was published */
        uint64_t looks_after_ms;
        bool is_woken;
    } rows[] = {{0, 50, false}, {9999, 50, false}, {10000, 0, true}, {100000000, 0, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t look_ms;
        uint64_t now_ms = jz_redis_now_ms() + 100000000;
        queue.published_ms = now_ms - rows[i].since_last_ms;
        assert_true(jz_redis_queue_sleep(&queue, true, ends[0], now_ms, &look_ms));
        assert_int_equal(look_ms, rows[i].is_woken ? UINT64_MAX : now_ms + rows[i].looks_after_ms);
        publish("a");
        assert_int_equal(has_rung(), rows[i].is_woken);
        jz_redis_queue_wake(&queue); /* by the bell, or because the time is over */
        jz_redis_queue_advance(&queue, true, 1);
        assert_string_equal(sent(), "a");
        answer(1);
        flush(); /* it returns after all */
        assert_false(has_rung());
        assert_int_equal(received((char[8]){0}, 8), 0);
        jz_redis_queue_advance(&queue, true, 1);
    }
}

static void what_was_not_answered_is_sent_again_in_order(void **state)
{
    (void)state;
    publish("a");
    publish("b");
    publish("c");
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "abc");
    answer(1);
    publish("d");
    jz_redis_queue_rewind(&queue);
    assert_null(jz_redis_queue_awaited(&queue));
    jz_redis_queue_advance(&queue, true, 2);
    assert_string_equal(sent(), "bc");
    answer(2);
    jz_redis_queue_advance(&queue, true, 2);
    assert_string_equal(sent(), "d");
    answer(1);
    jz_redis_queue_advance(&queue, true, 2);
    assert_int_equal(bytes(), 0);
    assert_int_equal(atomic_load(&queue.accepted), 4);
}

static void our_own_questions_go_first_and_are_not_asked_again(void **state)
{
    (void)state;
    publish("a");
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "a");
    publish("b");
    assert_true(jz_redis_queue_ask(&queue, JZ_REDIS_QUEUED_ROLE, "*1..Q\r\n", 7));
    assert_string_equal(sent(), "Q");
    answer(1);
    assert_int_equal(jz_redis_queue_awaited(&queue)->kind, JZ_REDIS_QUEUED_ROLE);
    assert_int_equal(bytes(), 2 * SIZE_OF_ONE);
    jz_redis_queue_rewind(&queue);
    jz_redis_queue_advance(&queue, true, 1);
    assert_string_equal(sent(), "b");
}

static void what_does_not_fit_is_dropped_and_announced(void **state)
{
    (void)state;
    queue.limit = 3 * SIZE_OF_ONE;
    assert_true(publish("a") && publish("b") && publish("c"));
    assert_false(publish("d"));
    assert_int_equal(atomic_load(&queue.dropped), 1);
    assert_int_equal(jz_redis_queue_due_ms(&queue), UINT64_MAX); /* there is no room for it */
    jz_redis_queue_advance(&queue, true, 1);
    sent();
    answer(3);
    jz_redis_queue_advance(&queue, true, 1); /* settles, announces and takes */
    struct iovec area;
    assert_int_equal(jz_redis_queue_areas(&queue, &area, 1), 1);
    jz_redis_queue_sent(&queue, area.iov_len);
    assert_int_equal(jz_redis_queue_awaited(&queue)->kind, JZ_REDIS_QUEUED_ANNOUNCEMENT);
    answer(1);
    jz_redis_queue_advance(&queue, true, 1);
    assert_true(jz_redis_queue_is_idle(&queue));
}

static void refused_messages_are_announced_after_a_while(void **state)
{
    (void)state;
    publish("a");
    jz_redis_queue_advance(&queue, true, 1);
    sent();
    assert_true(jz_redis_queue_refused(&queue));
    jz_redis_queue_hold_announcements(&queue, 100);
    jz_redis_queue_advance(&queue, true, 99);
    assert_int_equal(jz_redis_queue_due_ms(&queue), 100);
    struct iovec area;
    assert_int_equal(jz_redis_queue_areas(&queue, &area, 1), 0);
    jz_redis_queue_advance(&queue, true, 100);
    assert_int_equal(jz_redis_queue_areas(&queue, &area, 1), 1);
    assert_int_equal(atomic_load(&queue.dropped), 1);
}

/* What of the next piece is sent, and its answer is there already: nobody has read the rest. */
static void what_is_answered_before_it_is_sent_is_not_taken(void **state)
{
    (void)state;
    publish("a");
    jz_redis_queue_advance(&queue, true, 1);
    jz_redis_queue_sent(&queue, 10);
    assert_non_null(jz_redis_queue_awaited(&queue));
    assert_false(jz_redis_queue_answered(&queue));
    jz_redis_queue_advance(&queue, true, 1);
    assert_int_equal(bytes(), SIZE_OF_ONE);
    jz_redis_queue_rewind(&queue);
    assert_string_equal(sent(), "a");
    answer(1);
    assert_int_equal(atomic_load(&queue.accepted), 1);
}

/* As Redis does when it is over its client-query-buffer-limit. The questions of each connection are answered. */
static void what_ends_each_connection_is_found_and_given_up(void **state)
{
    (void)state;
    int given_up = 0;
    char all[64] = "";
    size_t length = 0;
    for (const char *text = "abXcd"; *text != '\0'; text++)
        publish((char[]){*text, '\0'});
    for (int connection = 0; connection < 20 && strcmp(all, "abcd") != 0; connection++) {
        jz_redis_queue_advance(&queue, true, 1);
        assert_true(jz_redis_queue_ask(&queue, JZ_REDIS_QUEUED_ROLE, "*1..Q\r\n", 7));
        for (const char *texts; *(texts = sent()) != '\0' && strchr(texts, 'X') == NULL;) {
            for (; *texts != '\0'; texts++) {
                if (*texts != 'Q')
                    all[length++] = *texts;
                answer(1);
            }
        }
        given_up += jz_redis_queue_rewind(&queue);
    }
    assert_string_equal(all, "abcd");
    assert_int_equal(given_up, 1);
    assert_int_equal(atomic_load(&queue.dropped), 1);
    jz_redis_queue_advance(&queue, true, 1);
    struct iovec area;
    assert_int_equal(jz_redis_queue_areas(&queue, &area, 1), 1);
    jz_redis_queue_sent(&queue, area.iov_len);
    assert_int_equal(jz_redis_queue_awaited(&queue)->kind, JZ_REDIS_QUEUED_ANNOUNCEMENT);
}

static void a_redis_that_is_lost_again_and_again_costs_no_message(void **state)
{
    (void)state;
    publish("a");
    for (int connection = 0; connection < 20; connection++) {
        jz_redis_queue_advance(&queue, true, 1);
        assert_true(jz_redis_queue_ask(&queue, JZ_REDIS_QUEUED_ROLE, "*1..Q\r\n", 7));
        struct iovec area;
        assert_int_equal(jz_redis_queue_areas(&queue, &area, 1), 1);
        jz_redis_queue_sent(&queue, area.iov_len); /* the question alone */
        assert_false(jz_redis_queue_rewind(&queue));
    }
    assert_string_equal(sent(), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_while_an_answer_is_outstanding_is_gathered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_whole_batch_does_not_wait_for_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_connection_nothing_is_sent_and_nobody_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_thread_is_woken_once_and_only_where_it_sleeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_flushes_sends_all_that_was_gathered_where_nothing_is_outstanding, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_flush_wakes_the_thread_where_only_that_can_send, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_whole_batch_does_not_wait_for_the_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_never_flushed_goes_on_its_way_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent_directly_is_left_to_the_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_answered_is_sent_again_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(our_own_questions_go_first_and_are_not_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_dropped_and_announced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_messages_are_announced_after_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_answered_before_it_is_sent_is_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_ends_each_connection_is_found_and_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_redis_that_is_lost_again_and_again_costs_no_message, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
