/* What Redis answers, cut everywhere, is the same as whole; and names are looked up beside the thread that asks. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>

#include "link/replies.h"
#include "link/resolver.h"
#include "support/eventually.h"

typedef struct record {
    jz_redis_replies replies;
    char text[512];
} record;

static void write_down(record *record, const char *sort, const char *first, size_t length)
{
    size_t before = strlen(record->text);
    snprintf(record->text + before, sizeof record->text - before, "%s(%.*s) ", sort, (int)length, first);
}

static void on_message(void *context, const char *channel, size_t channel_length, const char *payload, size_t length)
{
    char text[64];
    int written = snprintf(text, sizeof text, "%.*s=%.*s", (int)channel_length, channel, (int)length, payload);
    write_down(context, "message", text, (size_t)written);
}

static void on_reply(record *record)
{
    const jz_redis_replies *replies = &record->replies;
    if (replies->type == REDIS_REPLY_ERROR)
        write_down(record, "error", replies->refusal, strlen(replies->refusal));
    else if (replies->type == REDIS_REPLY_INTEGER)
        write_down(record, "integer", "", 0);
    else if (strcmp(replies->word, "message") != 0)
        write_down(record, replies->word, replies->channel, replies->channel_length);
}

static void read_in_slices(record *record, const char *bytes, size_t length, size_t slice)
{
    redisReader *reader = redisReaderCreate();
    *record = (struct record){.replies = {.on_message = on_message, .context = record}};
    jz_redis_replies_attach(&record->replies, reader);
    for (size_t at = 0; at < length; at += slice) {
        void *reply = NULL;
        redisReaderFeed(reader, bytes + at, length - at < slice ? length - at : slice);
        while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL)
            on_reply(record);
    }
    assert_int_equal(reader->err, 0);
    redisReaderFree(reader);
    jz_redis_replies_clear(&record->replies);
}

static void replies_that_are_cut_are_as_whole_ones(void **state)
{
    (void)state;
    static const char bytes[] = "*3\r\n$9\r\nsubscribe\r\n$3\r\np:a\r\n:1\r\n"
                                "*3\r\n$7\r\nmessage\r\n$3\r\np:a\r\n$5\r\nh\r\nlo\r\n"
                                ":12\r\n-NOPERM no\r\n"
                                "*3\r\n$7\r\nmessage\r\n$0\r\n\r\n$0\r\n\r\n"
                                "*3\r\n$6\r\nmaster\r\n:7\r\n*1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n"
                                "*3\r\n$11\r\nunsubscribe\r\n$3\r\np:b\r\n:0\r\n";
    record record;
    for (size_t slice = 1; slice <= sizeof bytes; slice++) {
        read_in_slices(&record, bytes, sizeof bytes - 1, slice);
        assert_string_equal(record.text, "subscribe(p:a) message(p:a=h\r\nlo) integer() error(NOPERM no) "
                                         "message(=) master() unsubscribe(p:b) ");
    }
}

static bool is_done(jz_redis_resolution *resolution)
{
    struct pollfd watched = {.fd = jz_redis_resolution_descriptor(resolution), .events = POLLIN};
    return poll(&watched, 1, 0) == 1 && jz_redis_resolution_is_done(resolution);
}

static void names_are_looked_up(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_found;
    } rows[] = {{"127.0.0.1", true}, {"::1", true}, {"localhost", true}, {"no-such-host.invalid", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *failure = NULL;
        jz_redis_resolution *resolution = jz_redis_resolve(rows[i].host, 6379);
        assert_non_null(resolution);
        assert_eventually(is_done(resolution));
        const struct addrinfo *addresses = jz_redis_resolution_addresses(resolution, &failure);
        assert_that((addresses != NULL) == rows[i].is_found, "%s", rows[i].host);
        assert_that((failure == NULL) == rows[i].is_found, "%s", rows[i].host);
        jz_redis_resolution_free(resolution);
    }
}

static void who_asked_need_not_wait_for_the_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        jz_redis_resolution_free(jz_redis_resolve("localhost", 6379));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_that_are_cut_are_as_whole_ones),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(who_asked_need_not_wait_for_the_answer),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
