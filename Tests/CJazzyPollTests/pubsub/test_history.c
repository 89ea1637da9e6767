#include "pubsub/history.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum { LIMIT = 1024 * 1024, SECOND = 1000 };

static uint64_t now = 1000000; /* milliseconds */
static const jz_siphash_key key = {{1, 2}};

/* A history whose topics "room/..." are kept by these options. */
static jz_history *keeping(size_t keep, uint32_t for_ms, size_t bytes, size_t limit)
{
    const jz_history_options options = {.keep = keep, .for_ms = for_ms, .bytes = bytes};
    jz_history *history = jz_history_create(limit, &key);
    assert_non_null(history);
    assert_true(jz_history_add_rule(history, jz_text_of("room/"), &options));
    return history;
}

static void hold(jz_history *history, const char *topic, jz_held_topic *held)
{
    int rule = jz_history_rule_for(history, jz_text_of(topic));
    assert_true(rule >= 0);
    jz_history_hold(history, rule, jz_text_of(topic), now, held);
}

/* Publishes as many bytes, which begin with the number. False: there was no memory, and nothing was published. */
static bool try_to_publish(jz_history *history, const char *topic, unsigned number, size_t length)
{
    char text[4096] = {0};
    snprintf(text, sizeof text, "%u", number);
    jz_publication *publication = jz_publication_create(JZ_MESSAGE_TEXT, text, length, JZ_COMPRESSION_AUTOMATIC);
    if (publication == NULL)
        return false;
    jz_held_topic held;
    hold(history, topic, &held);
    bool is_published = jz_history_prepare(&held);
    if (is_published)
        jz_history_append(&held, publication);
    jz_history_release(&held);
    jz_publication_release(publication);
    return is_published;
}

static void publish(jz_history *history, const char *topic, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        assert_true(try_to_publish(history, topic, i, 8));
}

static jz_replay *take(jz_history *history, const char *topic, const jz_subscribe_options *options)
{
    jz_held_topic held;
    hold(history, topic, &held);
    jz_replay *replay = jz_history_take(&held, options);
    jz_history_release(&held);
    return replay;
}

static jz_replay *since(jz_history *history, const char *topic, jz_position position)
{
    return take(history, topic, &(jz_subscribe_options){.has_since = true, .since = position});
}

static unsigned number_of(const jz_publication *publication)
{
    size_t length;
    return (unsigned)strtoul((const char *)jz_publication_payload(publication, &length), NULL, 10);
}

/* The position behind all that there is. */
static jz_position newest(jz_history *history, const char *topic)
{
    jz_replay *replay = take(history, topic, &(jz_subscribe_options){0});
    jz_position position = replay->begins.position;
    assert_int_equal(replay->count, 0);
    jz_replay_free(replay);
    return position;
}

/* The messages from `first` to `last` follow the position, and nothing else; last < first: none. */
static void expect_recovery(jz_history *history, const char *topic, jz_position position, unsigned first, unsigned last)
{
    jz_replay *replay = since(history, topic, position);
    assert_true(replay->begins.has_recovered);
    assert_int_equal(replay->count, last + 1 - first);
    assert_int_equal(replay->begins.count, replay->count);
    assert_true(replay->begins.position.epoch == position.epoch && replay->begins.position.offset == position.offset);
    for (unsigned i = first; i <= last; i++)
        assert_int_equal(number_of(replay->publications[i - first]), i);
    jz_replay_free(replay);
}

/* Nothing old is sent, and the position is that of what is published next. */
static void expect_no_recovery(jz_history *history, const char *topic, jz_position position)
{
    jz_replay *replay = since(history, topic, position);
    jz_position there = newest(history, topic);
    assert_false(replay->begins.has_recovered);
    assert_int_equal(replay->count, 0);
    assert_true(replay->begins.position.epoch == there.epoch && replay->begins.position.offset == there.offset);
    jz_replay_free(replay);
}

static jz_position at(jz_position position, uint64_t offset)
{
    return (jz_position){position.epoch, offset};
}

static void what_was_missed_follows_a_position(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 300 * SECOND, LIMIT, LIMIT);
    jz_position start = newest(history, "room/a");
    assert_int_equal(start.offset, 0);
    expect_recovery(history, "room/a", start, 1, 0);
    publish(history, "room/a", 1, 7);
    for (unsigned i = 0; i <= 7; i++)
        expect_recovery(history, "room/a", at(start, i), i + 1, 7);
    assert_int_equal(newest(history, "room/a").offset, 7);
    jz_history_destroy(history);
}

static void what_is_no_position_of_the_topic_is_none_to_continue_at(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 300 * SECOND, LIMIT, LIMIT);
    publish(history, "room/a", 1, 7);
    publish(history, "room/b", 1, 7);
    jz_position right = newest(history, "room/a");
    const jz_position wrong[] = {
        {0, 0},
        {right.epoch + 1, 7},
        {right.epoch - 1, 7},
        {right.epoch, 8},
        {right.epoch, UINT64_MAX},
        {right.epoch, UINT64_C(1) << 32},
        {right.epoch, (UINT64_C(1) << 32) + 7},
        newest(history, "room/b"),
        newest(history, "room/nobody"),
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        expect_no_recovery(history, "room/a", wrong[i]);
    expect_recovery(history, "room/a", right, 8, 7);
    jz_history_destroy(history);
}

static void what_exceeds_the_count_is_forgotten(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 3, 4, 5, 100};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        unsigned keep = counts[i];
        jz_history *history = keeping(keep, 300 * SECOND, LIMIT, LIMIT);
        publish(history, "room/a", 1, 250);
        jz_position end = newest(history, "room/a");
        assert_int_equal(end.offset, 250);
        expect_recovery(history, "room/a", at(end, 250 - keep), 251 - keep, 250);
        expect_no_recovery(history, "room/a", at(end, 249 - keep));
        assert_int_equal(jz_history_count(history).messages, keep);
        jz_history_destroy(history);
    }
}

static void what_exceeds_the_bytes_of_a_topic_is_forgotten(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 300 * SECOND, 80, LIMIT);
    publish(history, "room/a", 1, 20); /* of 8 bytes each */
    jz_position end = newest(history, "room/a");
    expect_recovery(history, "room/a", at(end, 10), 11, 20);
    expect_no_recovery(history, "room/a", at(end, 9));
    /* A message that is larger than all that may be kept has an offset, and leaves nothing. */
    assert_true(try_to_publish(history, "room/a", 21, 81));
    expect_no_recovery(history, "room/a", at(end, 20));
    expect_recovery(history, "room/a", at(end, 21), 22, 21);
    assert_int_equal(jz_history_count(history).messages, 0);
    publish(history, "room/a", 22, 22);
    expect_recovery(history, "room/a", at(end, 21), 22, 22);
    jz_history_destroy(history);
}

static void what_is_too_old_is_forgotten(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 10 * SECOND, LIMIT, LIMIT);
    publish(history, "room/a", 1, 1);
    now += 6 * SECOND;
    publish(history, "room/a", 2, 2);
    jz_position end = newest(history, "room/a");
    now += 4 * SECOND;
    expect_recovery(history, "room/a", at(end, 0), 1, 2);
    now += SECOND;
    expect_no_recovery(history, "room/a", at(end, 0));
    expect_recovery(history, "room/a", at(end, 1), 2, 2);
    /* The topic is known for longer than its messages: who was there at the end has missed nothing. */
    now += 3600 * SECOND;
    expect_no_recovery(history, "room/a", at(end, 1));
    expect_recovery(history, "room/a", end, 3, 2);
    publish(history, "room/a", 3, 3);
    expect_recovery(history, "room/a", end, 3, 3);
    jz_history_destroy(history);
}

/* The time of a loop is that when its iteration began: another loop's may be earlier. */
static void times_that_go_back_a_little_forget_nothing(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 10 * SECOND, LIMIT, LIMIT);
    publish(history, "room/a", 1, 3);
    now -= 2 * SECOND;
    publish(history, "room/a", 4, 6);
    expect_recovery(history, "room/a", at(newest(history, "room/a"), 0), 1, 6);
    now += 2 * SECOND;
    jz_history_destroy(history);
}

/* A loop that was held up publishes with an earlier time than others before it: its message goes with those. */
static void what_was_published_with_an_earlier_time_than_before_is_swept_with_the_rest(void **state)
{
    (void)state;
    jz_history *history = keeping(100, 10 * SECOND, LIMIT, LIMIT);
    publish(history, "room/a", 1, 3);
    now -= 2 * SECOND;
    publish(history, "room/a", 4, 6);
    now += 11 * SECOND; /* too old are 4 to 6 by their own time, and none by that of the others */
    jz_history_sweep(history, now);
    expect_recovery(history, "room/a", at(newest(history, "room/a"), 0), 1, 6);
    now += 2 * SECOND;
    jz_history_sweep(history, now);
    assert_int_equal(jz_history_count(history).messages, 0);
    jz_history_destroy(history);
}

static void nothing_too_old_stays_in_memory(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_history *history = keeping(100, 10 * SECOND, LIMIT, LIMIT);
    char topic[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(topic, sizeof topic, "room/%u", i);
        publish(history, topic, 1, 20);
    }
    assert_int_equal(jz_history_count(history).messages, 2000);
    now += 9 * SECOND;
    publish(history, "room/quick", 1, 1);
    now += 2 * SECOND;
    jz_history_sweep(history, now);
    assert_int_equal(jz_history_count(history).messages, 1);
    assert_int_equal(jz_history_count(history).topics, 101);
    assert_true(test_live_allocations() - live < 101 + 3 * 16 + 8);
    jz_history_destroy(history);
    assert_int_equal(test_live_allocations(), live);
}

static void publications_forget_what_is_too_old_of_other_topics(void **state)
{
    (void)state;
    jz_history *history = keeping(1, 10 * SECOND, LIMIT, LIMIT);
    char topic[16];
    for (unsigned i = 0; i < 500; i++) {
        snprintf(topic, sizeof topic, "room/%u", i);
        publish(history, topic, 1, 1);
    }
    now += 11 * SECOND;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(topic, sizeof topic, "room/n%u", i);
        publish(history, topic, 1, 1);
    }
    assert_true(jz_history_count(history).messages < 520);
    jz_history_destroy(history);
}

static void all_histories_together_stay_within_the_limit(void **state)
{
    (void)state;
    enum { SMALL = 64 * 1024 };
    jz_history *history = keeping(1000, 300 * SECOND, LIMIT, SMALL);
    test_random random = {7};
    for (unsigned i = 0; i < 20000; i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "room/%zu", test_random_below(&random, 300));
        assert_true(try_to_publish(history, topic, i, test_random_below(&random, 600)));
        assert_true(jz_history_count(history).bytes <= SMALL);
        now += 10;
    }
    assert_true(jz_history_count(history).bytes > SMALL * 3 / 4);
    jz_history_destroy(history);
}

static void the_topic_that_was_quiet_for_longest_is_forgotten_first(void **state)
{
    (void)state;
    enum { SMALL = 64 * 1024 };
    jz_history *history = keeping(1000, 300 * SECOND, LIMIT, SMALL);
    publish(history, "room/first", 1, 10);
    jz_position first = newest(history, "room/first");
    now += SECOND;
    publish(history, "room/second", 1, 10);
    jz_position second = newest(history, "room/second");
    now += SECOND;
    /* By little, so that the first is enough. */
    for (unsigned i = 1; newest(history, "room/first").epoch == first.epoch; i++)
        assert_true(try_to_publish(history, "room/third", i, 50));
    expect_recovery(history, "room/second", at(second, 0), 1, 10);
    jz_history_destroy(history);
}

static void a_topic_that_was_forgotten_gets_another_epoch(void **state)
{
    (void)state;
    enum { SMALL = 64 * 1024, TIMES = 20 };
    jz_history *history = keeping(1000, 300 * SECOND, LIMIT, SMALL);
    jz_position before[TIMES];
    for (size_t i = 0; i < TIMES; i++) {
        before[i] = newest(history, "room/a");
        assert_int_equal(before[i].offset, 0);
        for (size_t j = 0; j < i; j++)
            assert_true(before[j].epoch != before[i].epoch);
        publish(history, "room/a", 1, 3);
        for (size_t j = 0; j < i; j++) {
            expect_no_recovery(history, "room/a", at(before[j], 0));
            expect_no_recovery(history, "room/a", at(before[j], 3));
        }
        expect_recovery(history, "room/a", before[i], 1, 3);
        now += SECOND;
        /* Something else needs the room. */
        for (unsigned j = 1; newest(history, "room/a").epoch == before[i].epoch; j++)
            assert_true(try_to_publish(history, "room/b", j, 500));
        now += SECOND;
    }
    jz_history_destroy(history);
}

static void two_servers_have_different_epochs(void **state)
{
    (void)state;
    jz_history *one = keeping(10, 300 * SECOND, LIMIT, LIMIT);
    jz_history *other = keeping(10, 300 * SECOND, LIMIT, LIMIT);
    publish(one, "room/a", 1, 3);
    publish(other, "room/a", 1, 3);
    expect_no_recovery(other, "room/a", newest(one, "room/a"));
    jz_history_destroy(one);
    jz_history_destroy(other);
}

static void the_longest_prefix_counts(void **state)
{
    (void)state;
    jz_history *history = keeping(3, 300 * SECOND, LIMIT, LIMIT);
    const jz_history_options more = {.keep = 5, .for_ms = 300 * SECOND, .bytes = LIMIT};
    const jz_history_options most = {.keep = 7, .for_ms = 300 * SECOND, .bytes = LIMIT};
    assert_int_equal(jz_history_rule_for(history, jz_text_of("lobby")), -1);
    assert_true(jz_history_add_rule(history, jz_text_of("room/vip/"), &more));
    assert_true(jz_history_add_rule(history, jz_text_of(""), &most));
    static const struct {
        const char *topic;
        size_t kept;
    } cases[] = {{"room/a", 3}, {"room/", 3}, {"room/vip/a", 5}, {"room/vi", 3}, {"room", 7}, {"", 7}, {"lobby", 7}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        publish(history, cases[i].topic, 1, 20);
        jz_replay *replay = take(history, cases[i].topic, &(jz_subscribe_options){.recent = 1000});
        assert_int_equal(replay->count, cases[i].kept);
        jz_replay_free(replay);
    }
    jz_history_destroy(history);
}

/* Also where prefixes are longer or shorter than eight bytes, have a NUL, or begin alike. */
static void a_prefix_is_compared_to_its_end(void **state)
{
    (void)state;
    jz_history *history = jz_history_create(LIMIT, &key);
    static const jz_text prefixes[] = {{"room/one/two", 12}, {"room/one/", 9}, {"room/one", 8},
                                       {"room/on", 7},       {"a\0\0", 3},     {"a\0", 2}};
    const jz_history_options options = jz_history_options_default();
    for (size_t i = COUNT_OF(prefixes); i-- > 0;)
        assert_true(jz_history_add_rule(history, prefixes[i], &options));
    static const struct {
        jz_text topic;
        int rule;
    } cases[] = {
        {{"room/one/two", 12}, 0},
        {{"room/one/two/", 13}, 0},
        {{"room/one/twO", 12}, 1},
        {{"room/one/tw", 11}, 1},
        {{"room/one/", 9}, 1},
        {{"room/one-", 9}, 2},
        {{"room/one", 8}, 2},
        {{"room/onE", 8}, 3},
        {{"room/on", 7}, 3},
        {{"room/o", 6}, -1},
        {{"Room/one/two", 12}, -1},
        {{"a\0\0\0", 4}, 4},
        {{"a\0\0", 3}, 4},
        {{"a\0", 2}, 5},
        {{"a\0b", 3}, 5},
        {{"a", 1}, -1},
        {{"", 0}, -1},
        {{NULL, 0}, -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(jz_history_rule_for(history, cases[i].topic), cases[i].rule);
    jz_history_destroy(history);
}

static void newcomers_get_the_last_messages(void **state)
{
    (void)state;
    jz_history *history = keeping(10, 300 * SECOND, LIMIT, LIMIT);
    static const struct {
        unsigned published;
        size_t wanted;
        size_t count;
    } cases[] = {{0, 5, 0}, {3, 5, 3}, {5, 5, 5}, {30, 5, 5}, {30, 10, 10}, {30, SIZE_MAX, 10}, {30, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "room/%zu", i);
        publish(history, topic, 1, cases[i].published);
        jz_replay *replay = take(history, topic, &(jz_subscribe_options){.recent = cases[i].wanted});
        assert_int_equal(replay->count, cases[i].count);
        assert_false(replay->begins.has_recovered);
        assert_int_equal(replay->begins.position.offset, cases[i].published - cases[i].count);
        for (size_t j = 0; j < replay->count; j++)
            assert_int_equal(number_of(replay->publications[j]), cases[i].published - cases[i].count + 1 + j);
        jz_replay_free(replay);
    }
    jz_history_destroy(history);
}

/*
 * What malloc adds is counted: 8 bytes, and what it rounds up, on average over 16 lengths. (Up to 64 KiB; what is
 * longer has pages of its own.)
 */
static void a_message_is_kept_once_and_costs_less_than_48_bytes(void **state)
{
    (void)state;
    /* What a topic takes besides: places that are free, and what is there while they are moved. */
    enum { KEEP = 16000, LENGTHS = 16, SPARE = 3 * 1024 };
    static const size_t shortest[] = {0, 100, 126, 1000};
    for (size_t i = 0; i < COUNT_OF(shortest); i++) {
        size_t before = test_live_bytes();
        size_t pieces = test_live_allocations();
        jz_history *history = keeping(KEEP + 1, 300 * SECOND, 64 * LIMIT, 64 * LIMIT);
        publish(history, "room/a", 1, 1);
        size_t one = test_live_bytes();
        size_t payload = 0;
        for (unsigned j = 1; j <= KEEP; j++) {
            size_t length = shortest[i] + j % LENGTHS;
            (void)test_most_live_bytes();
            assert_true(try_to_publish(history, "room/a", j, length));
            payload += length;
            /* At all times: also when there have just become more places, and while that happens. */
            size_t most = test_most_live_bytes() - one - payload + (size_t)j * 8;
            if (j % LENGTHS == 0)
                assert_that(most <= 48 * (size_t)j + SPARE, "%zu bytes for %u messages from %zu bytes on", most, j,
                            shortest[i]);
        }
        size_t added = test_live_bytes() - one - payload + (size_t)KEEP * 8;
        assert_that(added <= 48 * (size_t)KEEP, "%zu bytes for %u messages from %zu bytes on", added, (unsigned)KEEP,
                    shortest[i]);
        jz_history_destroy(history);
        assert_int_equal(test_live_allocations(), pieces);
        assert_int_equal(test_live_bytes(), before);
    }
}

/* At least: the limit of a history is one of memory, which topics with few messages take, too. */
static void what_is_counted_is_what_it_takes(void **state)
{
    (void)state;
    enum { TOPICS = 300, TABLES = 35 * 1024 /* that a history has anyway */ };
    static const unsigned counts[] = {1, 2, 5, 9, 30, 101, 150};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t before = test_live_bytes();
        size_t pieces = test_live_allocations();
        jz_history *history = keeping(1000, 300 * SECOND, LIMIT, 64 * LIMIT);
        size_t empty = test_live_bytes();
        size_t empty_pieces = test_live_allocations();
        char name[16];
        for (unsigned j = 0; j < TOPICS; j++) {
            snprintf(name, sizeof name, "room/%u", j);
            for (unsigned number = 1; number <= counts[i]; number++)
                assert_true(try_to_publish(history, name, number, 20 + (j + number) % 16));
        }
        size_t taken = test_live_bytes() - empty + (test_live_allocations() - empty_pieces) * 8;
        size_t counted = jz_history_count(history).bytes;
        assert_that(taken <= counted + TABLES, "%zu bytes are taken, and %zu counted", taken, counted);
        jz_history_destroy(history);
        assert_int_equal(test_live_allocations(), pieces);
        assert_int_equal(test_live_bytes(), before);
    }
}

/* What a ring was grown to for many messages is not left to the few that follow. */
static void who_had_many_messages_and_has_few_needs_little_memory(void **state)
{
    (void)state;
    enum { MANY = 20000, TOPICS = 20, MOST = 16 * 1024 /* bytes of a topic with one message */ };
    jz_history *history = keeping(MANY, 10 * SECOND, LIMIT, 4 * LIMIT);
    size_t before = test_live_bytes();
    char name[16];
    for (unsigned i = 0; i < TOPICS; i++) {
        snprintf(name, sizeof name, "room/%u", i);
        publish(history, name, 1, MANY);
        now += 9 * SECOND;
        publish(history, name, MANY + 1, MANY + 1);
        now += 2 * SECOND;
        jz_position end = newest(history, name);
        expect_recovery(history, name, at(end, MANY), MANY + 1, MANY + 1);
        publish(history, name, MANY + 2, MANY + 40);
        expect_recovery(history, name, at(end, MANY), MANY + 1, MANY + 40);
    }
    assert_true(test_live_bytes() - before < TOPICS * MOST);
    jz_history_destroy(history);
}

static void without_memory_nothing_is_published_and_no_offset_is_taken(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_history *history = keeping(100, 300 * SECOND, LIMIT, LIMIT);
    for (unsigned published = 0; published < 40;) {
        char topic[16];
        snprintf(topic, sizeof topic, "room/%u", published / 20);
        unsigned number = published % 20 + 1;
        for (size_t allowed = 0;; allowed++) {
            jz_position end = newest(history, topic);
            test_allocations_fail_after(allowed);
            bool is_published = try_to_publish(history, topic, number, 8);
            test_allocations_succeed();
            if (is_published)
                break;
            jz_position still = newest(history, topic);
            assert_true(still.epoch == end.epoch && still.offset == end.offset);
        }
        published++;
        expect_recovery(history, topic, at(newest(history, topic), 0), 1, number);
    }
    test_allocations_fail_after(0);
    jz_replay *replay = take(history, "room/0", &(jz_subscribe_options){.recent = 3});
    assert_int_equal(test_allocations_succeed(), 1);
    assert_null(replay);
    jz_history_destroy(history);
    assert_int_equal(test_live_allocations(), live);
    for (size_t allowed = 0; allowed < 2; allowed++) {
        const jz_history_options options = jz_history_options_default();
        test_allocations_fail_after(allowed);
        history = jz_history_create(LIMIT, &key);
        bool has_rule = history != NULL && jz_history_add_rule(history, jz_text_of("room/"), &options);
        assert_int_equal(test_allocations_succeed(), 1);
        assert_false(has_rule);
        jz_history_destroy(history);
    }
    assert_int_equal(test_live_allocations(), live);
}

/* A model that keeps everything beside it: what the history recovers is what the model has, all of it. */
static void whatever_is_forgotten_nothing_is_recovered_in_part(void **state)
{
    (void)state;
    enum { TOPICS = 12, MOST = 4000 };
    for (unsigned seed = 1; seed <= 20; seed++) {
        test_random random = {seed};
        jz_history *history =
            keeping(1 + test_random_below(&random, 60), SECOND * (1 + (uint32_t)test_random_below(&random, 30)),
                    200 + test_random_below(&random, 4000), 64 * 1024);
        jz_position positions[TOPICS][MOST]; /* behind each number; numbers from 1 on */
        unsigned counts[TOPICS] = {0};
        size_t recovered = 0;
        for (unsigned step = 0; step < 3000; step++) {
            unsigned topic = (unsigned)test_random_below(&random, TOPICS);
            char name[16];
            snprintf(name, sizeof name, "room/%u", topic);
            if (counts[topic] == 0)
                positions[topic][0] = newest(history, name);
            if (test_random_below(&random, 3) > 0) {
                assert_true(try_to_publish(history, name, ++counts[topic], 8 + test_random_below(&random, 100)));
                positions[topic][counts[topic]] = newest(history, name);
            } else {
                unsigned behind = (unsigned)test_random_below(&random, counts[topic] + 1);
                jz_replay *replay = since(history, name, positions[topic][behind]);
                if (replay->begins.has_recovered) {
                    assert_int_equal(replay->count, counts[topic] - behind);
                    for (size_t i = 0; i < replay->count; i++)
                        assert_int_equal(number_of(replay->publications[i]), behind + 1 + i);
                    recovered++;
                }
                jz_replay_free(replay);
            }
            now += test_random_below(&random, 1000);
        }
        assert_true(recovered > 0);
        jz_history_destroy(history);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_missed_follows_a_position),
        cmocka_unit_test(what_is_no_position_of_the_topic_is_none_to_continue_at),
        cmocka_unit_test(what_exceeds_the_count_is_forgotten),
        cmocka_unit_test(what_exceeds_the_bytes_of_a_topic_is_forgotten),
        cmocka_unit_test(what_is_too_old_is_forgotten),
        cmocka_unit_test(times_that_go_back_a_little_forget_nothing),
        cmocka_unit_test(what_was_published_with_an_earlier_time_than_before_is_swept_with_the_rest),
        cmocka_unit_test(nothing_too_old_stays_in_memory),
        cmocka_unit_test(publications_forget_what_is_too_old_of_other_topics),
        cmocka_unit_test(all_histories_together_stay_within_the_limit),
        cmocka_unit_test(the_topic_that_was_quiet_for_longest_is_forgotten_first),
        cmocka_unit_test(a_topic_that_was_forgotten_gets_another_epoch),
        cmocka_unit_test(two_servers_have_different_epochs),
        cmocka_unit_test(the_longest_prefix_counts),
        cmocka_unit_test(a_prefix_is_compared_to_its_end),
        cmocka_unit_test(newcomers_get_the_last_messages),
        cmocka_unit_test(a_message_is_kept_once_and_costs_less_than_48_bytes),
        cmocka_unit_test(what_is_counted_is_what_it_takes),
        cmocka_unit_test(who_had_many_messages_and_has_few_needs_little_memory),
        cmocka_unit_test(without_memory_nothing_is_published_and_no_offset_is_taken),
        cmocka_unit_test(whatever_is_forgotten_nothing_is_recovered_in_part),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("history", tests, NULL, NULL));
}
