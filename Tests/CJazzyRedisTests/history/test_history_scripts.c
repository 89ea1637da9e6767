/*
 * The scripts by which Redis keeps what is published, on real ones: positions are contiguous, and one that was given is
 * never given again, whatever happens to the data.
 */
#include "history/scripts.h"

#include <stdio.h>

#include "envelope/envelope.h"
#include "support/eventually.h"
#include "support/kept.h"
#include "support/testing.h"

static redis_server redis;
static redis_server other;

static int set_up(void **state)
{
    (void)state;
    redis = other = (redis_server){0};
    redis_server_start(&redis, redis_free_port());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_server_finish(&redis);
    if (other.process != 0)
        redis_server_finish(&other);
    return 0;
}

static void publish(const char *text)
{
    kept_publish(&redis, (kept_message){.text = text});
}

static kept_history fetch(void)
{
    kept_history history = kept_fetch(&redis, (kept_message){0});
    assert_string_equal(history.refusal, "");
    return history;
}

static void expect(kept_history before, uint64_t newest, const char *texts)
{
    kept_history now = fetch();
    assert_that(now.epoch == before.epoch, "another epoch");
    assert_that(now.newest == newest, "%llu", (unsigned long long)now.newest);
    assert_string_equal(now.texts, texts);
}

static void what_is_published_has_the_next_offset_and_is_kept(void **state)
{
    (void)state;
    kept_history empty = fetch();
    assert_int_not_equal(empty.epoch, 0);
    expect(empty, 0, "");
    publish("a");
    publish("");
    kept_publish(&redis, (kept_message){.text = "c", .is_binary = true});
    expect(empty, 3, "a,,c");
}

static void subscribers_get_it_with_its_position_and_the_marker_behind_it(void **state)
{
    (void)state;
    redisReply *reply;
    redisContext *context = redisConnectUnix(redis.path);
    freeReplyObject(redisCommand(context, "SUBSCRIBE jazzy:news own"));
    assert_int_equal(redisGetReply(context, (void **)&reply), REDIS_OK);
    freeReplyObject(reply);
    publish("hello");
    uint64_t epoch = fetch().epoch;
    assert_int_equal(redisGetReply(context, (void **)&reply), REDIS_OK);
    jz_redis_envelope envelope;
    size_t header;
    assert_int_equal(jz_redis_envelope_read((const uint8_t *)reply->element[2]->str, (size_t)reply->element[2]->len,
                                            &envelope, &header),
                     JZ_REDIS_READ);
    assert_int_equal(envelope.kind, JZ_REDIS_KEPT_TEXT);
    assert_true(envelope.epoch == epoch && envelope.offset == 1 && envelope.origin == 1);
    assert_string_equal(reply->element[2]->str + header, "hello");
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(context, (void **)&reply), REDIS_OK);
    assert_string_equal(reply->element[2]->str, "marker");
    freeReplyObject(reply);
    redisFree(context);
}

static void what_is_sent_again_is_not_kept_again(void **state)
{
    (void)state;
    kept_publish(&redis, (kept_message){.text = "a", .origin = 5, .sequence = 1});
    kept_history before = fetch();
    kept_publish(&redis, (kept_message){.text = "b", .origin = 5, .sequence = 2, .before = 1});
    kept_publish(&redis, (kept_message){.text = "x", .origin = 6, .sequence = 1});
    kept_publish(&redis, (kept_message){.text = "a", .origin = 5, .sequence = 1});
    kept_publish(&redis, (kept_message){.text = "b", .origin = 5, .sequence = 2, .before = 1});
    expect(before, 3, "a,b,x");
}

static void what_comes_out_of_turn_is_refused(void **state)
{
    (void)state;
    char refusal[128];
    kept_try(&redis, (kept_message){.text = "b", .origin = 5, .sequence = 2, .before = 1}, refusal);
    assert_memory_equal(refusal, JZ_REDIS_OUT_OF_TURN, strlen(JZ_REDIS_OUT_OF_TURN));
    kept_publish(&redis, (kept_message){.text = "a", .origin = 5, .sequence = 1});
    kept_history before = fetch();
    kept_try(&redis, (kept_message){.text = "c", .origin = 5, .sequence = 3, .before = 2}, refusal);
    assert_memory_equal(refusal, JZ_REDIS_OUT_OF_TURN, strlen(JZ_REDIS_OUT_OF_TURN));
    kept_publish(&redis, (kept_message){.text = "b", .origin = 5, .sequence = 2, .before = 1});
    expect(before, 2, "a,b");
}

static void many_origins_do_not_stay(void **state)
{
    (void)state;
    for (uint64_t origin = 1; origin <= 40; origin++)
        kept_publish(&redis, (kept_message){.text = "a", .origin = origin});
    assert_int_equal(redis_server_do(&redis, "HLEN jazzy:position:news"), 44);
    redis_server_do(&redis, "HSET jazzy:position:news %b %s", "\0\0\0\0\0\0\0\7", (size_t)8, "7 1000");
    kept_publish(&redis, (kept_message){.text = "a", .origin = 41});
    assert_int_equal(redis_server_do(&redis, "HLEN jazzy:position:news"), 44);
}

/* Bounds */

static void no_more_is_fetched_than_is_asked_for(void **state)
{
    (void)state;
    for (const char *text = "aabbccdd"; *text != '\0'; text += 2) {
        char two[3] = {text[0], text[1], '\0'};
        publish(two);
    }
    assert_string_equal(kept_fetch(&redis, (kept_message){.keep = 2}).texts, "cc,dd");
    assert_string_equal(kept_fetch(&redis, (kept_message){.bytes = 7}).texts, "bb,cc,dd");
    assert_string_equal(kept_fetch(&redis, (kept_message){.bytes = 1}).texts, "");
    assert_int_equal(kept_fetch(&redis, (kept_message){.bytes = 1}).newest, 4);
    assert_eventually(kept_fetch(&redis, (kept_message){.for_ms = 1}).texts[0] == '\0');
}

static void what_is_kept_is_bounded_by_messages_and_by_bytes(void **state)
{
    (void)state;
    char large[1001] = {0};
    memset(large, 'x', 1000);
    for (int i = 0; i < 1000; i++)
        kept_publish(&redis, (kept_message){.text = "small", .keep = 50});
    assert_in_range(redis_server_do(&redis, "XLEN jazzy:history:news"), 50, 150);
    for (int i = 0; i < 200; i++) {
        kept_publish(&redis, (kept_message){.text = large, .keep = 10000, .bytes = 10000});
        assert_in_range(redis_server_do(&redis, "XLEN jazzy:history:news"), 1, 200);
    }
    assert_in_range(redis_server_do(&redis, "XLEN jazzy:history:news"), 10, 20);
    kept_history history = kept_fetch(&redis, (kept_message){.bytes = 10000});
    assert_int_equal(strlen(history.texts), 4095); /* as much as fits here, of ten */
}

/* What others have written does not undo the bound, and does not end the script after the message was published. */
static void the_bound_of_bytes_holds_whatever_others_have_written(void **state)
{
    (void)state;
    char large[1001] = {0};
    memset(large, 'x', 1000);
    const char *const counts[] = {"nan", "-1000000000", "inf", "x"};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        redis_server_do(&redis, "FLUSHALL");
        kept_publish(&redis, (kept_message){.text = large, .keep = 10000, .bytes = 10000});
        redis_server_do(&redis, "DEL jazzy:history:news");
        redis_server_try(&redis, "XADD jazzy:history:news 0-5 t x");
        redis_server_do(&redis, "HSET jazzy:position:news b %s", counts[i]);
        for (int k = 0; k < 100; k++)
            kept_publish(&redis, (kept_message){.text = large, .keep = 10000, .bytes = 10000});
        assert_in_range(redis_server_do(&redis, "XLEN jazzy:history:news"), 9, 20);
        assert_int_equal(kept_fetch(&redis, (kept_message){0}).newest, 101);
    }
}

static void both_keys_expire(void **state)
{
    (void)state;
    kept_publish(&redis, (kept_message){.text = "a", .for_ms = 60000});
    assert_in_range(redis_server_do(&redis, "PTTL jazzy:history:news"), 1, 60000);
    assert_in_range(redis_server_do(&redis, "PTTL jazzy:position:news"), 60001, 60000 + 604800000);
    redis_server_do(&redis, "DEL jazzy:position:news");
    kept_fetch(&redis, (kept_message){.for_ms = 60000});
    assert_in_range(redis_server_do(&redis, "PTTL jazzy:position:news"), 60001, 60000 + 604800000);
}

/* What others do to the keys */

static void a_history_that_is_gone_leaves_the_position(void **state)
{
    (void)state;
    publish("a");
    kept_history before = fetch();
    redis_server_do(&redis, "DEL jazzy:history:news");
    expect(before, 1, "");
    publish("b");
    expect(before, 2, "b");
}

static void entries_that_are_gone_are_no_holes(void **state)
{
    (void)state;
    char id[64];
    publish("a");
    publish("b");
    kept_history before = fetch();
    redisContext *context = redisConnectUnix(redis.path);
    redisReply *reply = redisCommand(context, "XRANGE jazzy:history:news 2 2");
    snprintf(id, sizeof id, "%s", reply->element[0]->element[0]->str);
    freeReplyObject(reply);
    redisFree(context);
    publish("c");
    redis_server_do(&redis, "XDEL jazzy:history:news %s", id);
    expect(before, 3, "c");
    redis_server_do(&redis, "XTRIM jazzy:history:news MAXLEN 0");
    expect(before, 3, "");
}

static const struct {
    const char *name;
    const char *commands[2];
} ends[] = {
    {"the position is gone", {"DEL jazzy:position:news"}},
    {"all is gone", {"FLUSHALL"}},
    {"the epoch is gone", {"HDEL jazzy:position:news e"}},
    {"the epoch is none", {"HSET jazzy:position:news e 1"}},
    {"the epoch is zero", {"EVAL redis.call('HSET',KEYS[1],'e',string.rep('\\0',8)) 1 jazzy:position:news"}},
    {"the offset is none", {"HSET jazzy:position:news o x"}},
    {"the offset is too far", {"HSET jazzy:position:news o 9999999999999999999"}},
    {"the offset is negative", {"HSET jazzy:position:news o -5"}},
    {"another Redis was written to", {"HSET jazzy:position:news l 0123456789"}},
    {"the offset goes back", {"HSET jazzy:position:news o 1"}},
    {"an entry of others is in the way", {"XADD jazzy:history:news * t x"}},
    {"the history is something else", {"DEL jazzy:history:news", "SET jazzy:history:news x"}},
};

static void what_cannot_be_gone_on_with_ends_the_epoch(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        redis_server_do(&redis, "FLUSHALL");
        publish("a");
        publish("b");
        publish("c");
        kept_history before = fetch();
        for (size_t k = 0; k < 2 && ends[i].commands[k] != NULL; k++)
            redis_server_try(&redis, ends[i].commands[k]);
        publish("d");
        kept_history after = fetch();
        assert_that(after.epoch != before.epoch, "%s: the same epoch", ends[i].name);
        assert_that(after.newest == 1 && strcmp(after.texts, "d") == 0, "%s: %s", ends[i].name, after.texts);
    }
}

static void a_position_that_is_no_hash_is_refused(void **state)
{
    (void)state;
    char refusal[128];
    redis_server_do(&redis, "RPUSH jazzy:position:news x");
    kept_try(&redis, (kept_message){.text = "a"}, refusal);
    assert_memory_equal(refusal, "WRONGTYPE", 9);
    assert_memory_equal(kept_fetch(&redis, (kept_message){0}).refusal, "WRONGTYPE", 9);
}

/* Another Redis */

static void a_new_start_is_another_epoch_even_with_all_data(void **state)
{
    (void)state;
    publish("a");
    kept_history before = fetch();
    redis_server_do(&redis, "SAVE");
    publish("b"); /* which the dump has not */
    redis_server_kill(&redis);
    redis_server_run(&redis, NULL);
    kept_history after = fetch();
    assert_int_not_equal(after.epoch, before.epoch);
    assert_int_equal(after.newest, 0);
    publish("c");
    expect(after, 1, "c");
}

static bool is_in_step(void)
{
    char text[4096];
    redis_server_ask(&other, text, sizeof text, "INFO replication");
    return strstr(text, "master_link_status:up") != NULL;
}

static void start_replica(void)
{
    redis_server_start(&other, redis_free_port());
    redis_server_do(&other, "REPLICAOF 127.0.0.1 %u", redis.port);
    assert_eventually(is_in_step());
}

static void the_first_replica_begins_another_epoch(void **state)
{
    (void)state;
    publish("a");
    kept_history before = fetch();
    start_replica();
    kept_history after = fetch();
    assert_int_not_equal(after.epoch, before.epoch);
    assert_int_equal(after.newest, 0);
    publish("b");
    assert_int_equal(fetch().epoch, after.epoch);
}

static void a_replica_that_is_promoted_begins_another_epoch(void **state)
{
    (void)state;
    start_replica();
    publish("a");
    kept_history before = fetch();
    assert_eventually(redis_server_do(&other, "XLEN jazzy:history:news") == 1);
    assert_memory_equal(kept_fetch(&other, (kept_message){0}).refusal, "READONLY", 8);
    redis_server_do(&other, "REPLICAOF NO ONE");
    kept_history after = kept_fetch(&other, (kept_message){0});
    assert_true(after.epoch != 0 && after.epoch != before.epoch);
    assert_int_equal(after.newest, 0);
}

static void a_master_that_was_a_replica_meanwhile_begins_another_epoch(void **state)
{
    (void)state;
    char refusal[128];
    start_replica();
    publish("a");
    kept_history before = fetch();
    assert_eventually(redis_server_do(&other, "XLEN jazzy:history:news") == 1);
    redis_server_do(&other, "REPLICAOF NO ONE");
    publish("b"); /* which the other one has not */
    redis_server_do(&redis, "REPLICAOF 127.0.0.1 %u", other.port);
    kept_try(&redis, (kept_message){.text = "x"}, refusal);
    assert_memory_equal(refusal, "READONLY", 8);
    assert_eventually(redis_server_do(&redis, "XLEN jazzy:history:news") == 1);
    redis_server_do(&redis, "REPLICAOF NO ONE");
    publish("c");
    assert_int_not_equal(fetch().epoch, before.epoch);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    char refusal[128];
    publish("a");
    kept_history before = fetch();
    redis_server_do(&redis, "CONFIG SET maxmemory 1");
    kept_try(&redis, (kept_message){.text = "b"}, refusal);
    assert_memory_equal(refusal, "OOM", 3);
    expect(before, 1, "a");
    redis_server_do(&redis, "CONFIG SET maxmemory 0");
    publish("c");
    expect(before, 2, "a,c");
}

static void epochs_never_come_twice(void **state)
{
    (void)state;
    uint64_t numbers = 0;
    uint64_t first = jz_redis_next_epoch(&numbers);
    for (int i = 0; i < 100000; i++) {
        uint64_t next = jz_redis_next_epoch(&numbers);
        assert_true(next != 0 && next != first);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_published_has_the_next_offset_and_is_kept),
        TEST(subscribers_get_it_with_its_position_and_the_marker_behind_it),
        TEST(what_is_sent_again_is_not_kept_again),
        TEST(what_comes_out_of_turn_is_refused),
        TEST(many_origins_do_not_stay),
        TEST(no_more_is_fetched_than_is_asked_for),
        TEST(what_is_kept_is_bounded_by_messages_and_by_bytes),
        TEST(the_bound_of_bytes_holds_whatever_others_have_written),
        TEST(both_keys_expire),
        TEST(a_history_that_is_gone_leaves_the_position),
        TEST(entries_that_are_gone_are_no_holes),
        TEST(what_cannot_be_gone_on_with_ends_the_epoch),
        TEST(a_position_that_is_no_hash_is_refused),
        TEST(a_new_start_is_another_epoch_even_with_all_data),
        TEST(the_first_replica_begins_another_epoch),
        TEST(a_replica_that_is_promoted_begins_another_epoch),
        TEST(a_master_that_was_a_replica_meanwhile_begins_another_epoch),
        TEST(without_memory_nothing_changes),
        cmocka_unit_test(epochs_never_come_twice),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("the scripts of histories", tests, NULL, NULL));
}
