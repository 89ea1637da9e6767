/* One connection as a stream, whose other end a test holds: what it keeps of what is sent and received. */
#define _DEFAULT_SOURCE

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/bell.h"
#include "link/quick.h"
#include "link/replies.h"
#include "link/wire.h"
#include "support/testing.h"

enum { SCRATCH = 65536, MOST_WRITTEN = 512, MOST_SHOWN = 10 };

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

static struct {
    jz_redis_replies replies;
    char text[MOST_WRITTEN];
    size_t by_reader;
} record;

static void write_down(const char *bytes, size_t length, const char *end)
{
    size_t before = strlen(record.text);
    snprintf(record.text + before, sizeof record.text - before, "%.*s%s", (int)length, bytes, end);
}

static void write_message(void *context, const char *channel, size_t channel_length, const char *payload, size_t length)
{
    (void)context;
    write_down(channel, channel_length, "=");
    write_down(payload, length < MOST_SHOWN ? length : MOST_SHOWN, " ");
}

static bool write_reply(void *context, void *reply)
{
    (void)context;
    const jz_redis_replies *replies = &record.replies;
    record.by_reader += reply != NULL;
    if (replies->type == REDIS_REPLY_INTEGER)
        write_down("integer", strlen("integer"), " ");
    else if (replies->type == REDIS_REPLY_ERROR)
        write_down(replies->refusal, strlen(replies->refusal), " ");
    else if (strcmp(replies->word, "message") != 0)
        write_down(replies->word, strlen(replies->word), " ");
    return true;
}

/* As a peer does. */
static bool take(void *context, const char *bytes, size_t length, size_t *taken, size_t *size)
{
    for (*taken = 0; *taken < length; *taken += *size) {
        *size = jz_redis_replies_take(&record.replies, bytes + *taken, length - *taken);
        if (*size == 0 || *size > length - *taken)
            return true;
        if (record.replies.type == REDIS_REPLY_INTEGER)
            write_reply(context, NULL);
    }
    *size = 0;
    return true;
}

static void begin_to_record(void)
{
    tear_down(NULL);
    set_up(NULL);
    memset(&record, 0, sizeof record);
    record.replies.on_message = write_message;
    jz_redis_replies_attach(&record.replies, wire.reader);
    wire.take = take;
}

/* However it is cut, and whether or not the reader is needed for it. */
static void what_needs_no_reader_is_taken_in_its_order(void **state)
{
    (void)state;
    static const char bytes[] = "*3\r\n$9\r\nsubscribe\r\n$3\r\np:a\r\n:1\r\n"
                                "*3\r\n$7\r\nmessage\r\n$3\r\np:a\r\n$5\r\nh\r\nlo\r\n"
                                ":12\r\n-NOPERM no\r\n:0\r\n:-1\r\n:1234567890123\r\n"
                                "*3\r\n$7\r\nmessage\r\n$0\r\n\r\n$0\r\n\r\n"
                                "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$12\r\nabcdefghijkl\r\n"
                                "*3\r\n$11\r\nunsubscribe\r\n$3\r\np:b\r\n:0\r\n";
    static const char said[] = "subscribe p:a=h\r\nlo integer NOPERM no integer integer integer = "
                               "c=abcdefghij unsubscribe ";
    size_t length = sizeof bytes - 1;
    for (size_t piece = 1; piece <= length; piece++) {
        begin_to_record();
        for (size_t at = 0; at < length; at += piece) {
            size_t part = length - at < piece ? length - at : piece;
            assert_int_equal(send(other, bytes + at, part, 0), part);
            assert_true(jz_redis_wire_receive(&wire, scratch, sizeof scratch, write_reply, NULL));
        }
        assert_string_equal(record.text, said);
        assert_int_equal(wire.unended, 0);
        jz_redis_replies_clear(&record.replies);
    }
}

static size_t write_numbered(char *to, int number, size_t length)
{
    size_t size = (size_t)sprintf(to, "*3\r\n$7\r\nmessage\r\n$1\r\n%d\r\n$%zu\r\n", number, length);
    memset(to + size, 'x', length);
    memcpy(to + size + length, "\r\n", 2);
    return size + length + 2;
}

static void receive_part(const char *bytes, size_t length)
{
    assert_int_equal(send(other, bytes, length, 0), length);
    assert_true(jz_redis_wire_receive(&wire, scratch, sizeof scratch, write_reply, NULL));
}

/* One message that is cut, wherever, costs those behind it nothing. */
static void only_the_message_that_is_cut_needs_the_reader(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 100, 4096, 5000, 30000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        char *bytes = calloc(3, lengths[i] + 64);
        assert_non_null(bytes);
        size_t size = 0;
        for (int number = 0; number < 3; number++)
            size += write_numbered(bytes + size, number, lengths[i]);
        size_t one = size / 3;
        for (size_t cut = 1; cut < one; cut += cut < 100 || cut + 4 > one ? 1 : one - cut - 3) {
            begin_to_record();
            receive_part(bytes, one + cut);
            receive_part(bytes + one + cut, size - one - cut);
            assert_that(record.by_reader == 1, "%zu bytes cut at %zu: %zu", lengths[i], cut, record.by_reader);
            assert_memory_equal(record.text, "0=", 2);
            assert_non_null(strstr(record.text, " 1="));
            assert_non_null(strstr(record.text, " 2="));
            jz_redis_replies_clear(&record.replies);
        }
        free(bytes);
    }
}

/* They follow each other in any order where topics come and go. */
static void what_lies_behind_an_acknowledgement_needs_no_reader(void **state)
{
    (void)state;
    enum { MESSAGES = 20 };
    char bytes[4 * SCRATCH / MESSAGES] = "*3\r\n$9\r\nsubscribe\r\n$3\r\np:a\r\n:1\r\n";
    size_t size = strlen(bytes);
    for (int number = 0; number < MESSAGES; number++)
        size += write_numbered(bytes + size, number % 10, 100);
    begin_to_record();
    receive_part(bytes, size - 1);
    receive_part(bytes + size - 1, 1);
    assert_int_equal(record.by_reader, 2); /* the acknowledgement, and the message that is cut */
    jz_redis_replies_clear(&record.replies);
}

/* A reply whose size is not known, and which seems to end again and again, is read in parts that grow. */
static void many_lines_of_one_reply_cost_no_more_than_it_is_long(void **state)
{
    (void)state;
    enum { LENGTH = 50000 };
    static char bytes[LENGTH + 64];
    size_t size = write_numbered(bytes, 0, LENGTH);
    memset(bytes + size - LENGTH - 2, '\n', LENGTH);
    begin_to_record();
    receive_part(bytes, 10);
    receive_part(bytes + 10, size - 10);
    assert_int_equal(record.by_reader, 1);
    assert_int_equal(wire.unended, 0);
    jz_redis_replies_clear(&record.replies);
}

/* What is not as Redis writes it is for the reader, which judges it. */
static void what_is_written_in_another_way_is_left_to_the_reader(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ":",
        ":\r\n",
        ":1",
        ":1\r",
        ":1\rx",
        ":+1\r\n",
        ":01\r\n",
        ":1234567890\r\n",
        "+OK\r\n",
        "*3\r\n$7\r\nmessage\r\n",
        "*3\r\n$7\r\nmessage\r\n$",
        "*3\r\n$7\r\nmessage\r\n$-1\r\n",
        "*3\r\n$7\r\nmessage\r\n$2\r\nc\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\ncx\r\n$1\r\nx\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n:1\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nxyz",
        "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$01\r\nx\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\nc\r\n$1\r\nc\r\n$1\r\nx\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        /* Without what lies behind it, which a sanitizer guards. */
        size_t length = strlen(rows[i]);
        char *copy = malloc(length + (length == 0));
        assert_non_null(copy);
        memcpy(copy, rows[i], length);
        jz_redis_quick reply;
        assert_that(jz_redis_quick_read(copy, length, &reply) == 0, "%s", rows[i]);
        free(copy);
    }
}

/* A connection that is subscribed to nothing gets one nevertheless. */
static void a_message_that_nobody_asked_for_is_an_answer_like_others(void **state)
{
    (void)state;
    size_t count = 0;
    static const char message[] = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    jz_redis_replies replies = {0};
    jz_redis_replies_attach(&replies, wire.reader);
    assert_int_equal(jz_redis_replies_take(&replies, message, strlen(message)), 0);
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
        cmocka_unit_test_setup_teardown(what_needs_no_reader_is_taken_in_its_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_message_that_is_cut_needs_the_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_lies_behind_an_acknowledgement_needs_no_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_lines_of_one_reply_cost_no_more_than_it_is_long, set_up, tear_down),
        cmocka_unit_test(what_is_written_in_another_way_is_left_to_the_reader),
        cmocka_unit_test_setup_teardown(many_answers_are_not_one_long_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_makes_room_though_something_is_always_unsent, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
