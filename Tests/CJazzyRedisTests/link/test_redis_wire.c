/* One connection as a stream, whose other end a test holds: what it keeps of what is sent and received. */
#define _DEFAULT_SOURCE

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/bell.h"
#include "link/replies.h"
#include "link/wire.h"
#include "support/testing.h"

enum { SCRATCH = 65536 };

static jz_redis_wire wire;
static int other;
static char scratch[SCRATCH];

static int set_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    jz_redis_wire_init(&wire);
    jz_redis_prepare_descriptor(ends[0]);
    wire.descriptor = ends[0];
    other = ends[1];
    assert_true(jz_redis_wire_connected(&wire));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_redis_wire_close(&wire);
    close(other);
    return 0;
}

static bool on_reply(void *context, void *reply)
{
    size_t *count = context;
    freeReplyObject(reply);
    ++*count;
    return true;
}

static bool receive(const char *bytes, size_t *count)
{
    size_t length = strlen(bytes);
    assert_int_equal(send(other, bytes, length, 0), length);
    return jz_redis_wire_receive(&wire, scratch, sizeof scratch, on_reply, count);
}

static void an_answer_that_does_not_end_is_given_up(void **state)
{
    (void)state;
    static const struct {
        const char *beginning;
        const char *rest;
    } rows[] = {
        {"+", "endless"},
        {"*2147483647\r\n", ":1\r\n"},
        {"*3\r\n*500000000\r\n", ":1\r\n"},
        {"$4611686018427387904\r\n", "endless"},
        {"*1\r\n*1\r\n*1000000\r\n", "$1\r\nx\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t count = 0;
        size_t length = strlen(rows[i].rest);
        char *piece = calloc(length * 2000 + 1, 1);
        assert_non_null(piece);
        for (size_t at = 0; at < 2000; at++)
            memcpy(piece + length * at, rows[i].rest, length);
        tear_down(NULL);
        set_up(NULL);
        bool is_fine = receive(rows[i].beginning, &count);
        size_t given = 0;
        for (; is_fine && given < 4 * (size_t)JZ_REDIS_LONGEST_ANSWER; given += length * 2000)
            is_fine = receive(piece, &count);
        assert_false(is_fine);
        assert_int_equal(count, 0);
        assert_in_range(given, 0, JZ_REDIS_LONGEST_ANSWER + 2 * SCRATCH);
        free(piece);
    }
}

static bool count_reply(void *context, void *reply)
{
    size_t *count = context;
    ++*count;
    return reply != NULL;
}

/* A connection that is subscribed to nothing gets one nevertheless. */
static void a_message_that_nobody_asked_for_is_an_answer_like_others(void **state)
{
    (void)state;
    size_t count = 0;
    static const char message[] = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    jz_redis_replies replies = {0};
    jz_redis_replies_attach(&replies, wire.reader);
    assert_int_equal(send(other, message, strlen(message), 0), strlen(message));
    assert_true(jz_redis_wire_receive(&wire, scratch, sizeof scratch, count_reply, &count));
    assert_int_equal(count, 1);
    assert_int_equal(replies.type, REDIS_REPLY_ARRAY);
    jz_redis_replies_clear(&replies);
}

static void many_answers_are_not_one_long_one(void **state)
{
    (void)state;
    size_t count = 0;
    enum { ROUNDS = 3000, EACH = 400 };
    static char all[EACH * 4 + 1];
    for (size_t i = 0; i < EACH; i++)
        memcpy(all + 4 * i, ":1\r\n", 4);
    for (size_t i = 0; i < ROUNDS; i++)
        assert_true(receive(all, &count));
    assert_int_equal(count, ROUNDS * EACH);
}

/* As a server does that is always a little behind. */
static void what_was_sent_makes_room_though_something_is_always_unsent(void **state)
{
    (void)state;
    static const char text[1000] = {0};
    jz_redis_buffer buffer = {0};
    for (int i = 0; i < 10000; i++) {
        assert_true(jz_redis_command_add(&buffer, text, sizeof text));
        if (i > 2)
            buffer.start += sizeof text;
        assert_true(buffer.capacity <= 256 * 1024);
    }
    jz_redis_buffer_clear(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_that_does_not_end_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_nobody_asked_for_is_an_answer_like_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_answers_are_not_one_long_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_makes_room_though_something_is_always_unsent, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
