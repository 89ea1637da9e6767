/* What is subscribed in Redis and when, and when a gap is told: the topics of a broker without a connection. */
#include "topics/topics.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum { LINGER = 5000 };

static jz_redis_topics *begin(void)
{
    jz_redis_topics *topics = jz_redis_topics_create(LINGER);
    assert_non_null(topics);
    return topics;
}

static bool want(jz_redis_topics *topics, const char *name)
{
    return jz_redis_topics_want(topics, name, strlen(name));
}

static void unwant(jz_redis_topics *topics, const char *name, uint64_t now_ms)
{
    jz_redis_topics_unwant(topics, name, strlen(name), now_ms);
}

static jz_redis_topic *find(jz_redis_topics *topics, const char *name)
{
    return jz_redis_topics_find(topics, name, strlen(name));
}

static bool answered(jz_redis_topics *topics, const char *name)
{
    return jz_redis_topics_answered(topics, name, strlen(name));
}

static bool is_live(jz_redis_topics *topics, const char *name)
{
    const jz_redis_topic *topic = find(topics, name);
    return topic != NULL && topic->is_wanted && jz_redis_topic_is_acknowledged(topic);
}

/* The names of a batch, with a space behind each. */
static const char *names_of(jz_redis_topic **batch, size_t count)
{
    static char names[512];
    names[0] = '\0';
    for (size_t i = 0; i < count; i++)
        (void)snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ", (int)batch[i]->entry.length,
                       batch[i]->entry.name);
    return names;
}

static const char *subscribe(jz_redis_topics *topics)
{
    jz_redis_topic *batch[8];
    return names_of(batch, jz_redis_topics_next_to_subscribe(topics, batch, COUNT_OF(batch)));
}

static const char *unsubscribe(jz_redis_topics *topics, uint64_t now_ms)
{
    jz_redis_topic *batch[8];
    return names_of(batch, jz_redis_topics_next_to_unsubscribe(topics, now_ms, batch, COUNT_OF(batch)));
}

/* The topics whose gaps can be told now. */
static const char *gaps(jz_redis_topics *topics)
{
    jz_redis_topic *told[8];
    size_t count = 0;
    while ((told[count] = jz_redis_topics_next_gap(topics)) != NULL)
        count++;
    return names_of(told, count);
}

static void subscribe_and_answer(jz_redis_topics *topics, const char *name)
{
    assert_true(want(topics, name));
    (void)subscribe(topics);
    assert_true(answered(topics, name));
    assert_true(is_live(topics, name));
}

static void a_topic_is_live_once_redis_has_acknowledged_it(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    assert_true(want(topics, "news"));
    assert_true(want(topics, "news"));
    assert_false(is_live(topics, "news"));
    assert_string_equal(subscribe(topics), "news ");
    assert_string_equal(subscribe(topics), "");
    assert_false(is_live(topics, "news"));
    assert_true(answered(topics, "news"));
    assert_true(is_live(topics, "news"));
    assert_false(answered(topics, "news"));
    assert_false(answered(topics, "others"));
    jz_redis_topics_free(topics);
}

static void a_topic_without_subscribers_lingers_and_is_unsubscribed_then(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "news");
    assert_int_equal(jz_redis_topics_deadline_ms(topics), UINT64_MAX);
    unwant(topics, "news", 1000);
    unwant(topics, "news", 2000);
    assert_int_equal(jz_redis_topics_deadline_ms(topics), 1000 + LINGER);
    assert_string_equal(unsubscribe(topics, 1000 + LINGER - 1), "");
    assert_string_equal(unsubscribe(topics, 1000 + LINGER), "news ");
    assert_non_null(find(topics, "news"));
    assert_true(answered(topics, "news"));
    assert_null(find(topics, "news"));
    jz_redis_topics_free(topics);
}

static void who_comes_back_while_it_lingers_costs_redis_nothing(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "news");
    for (uint64_t now = 0; now < 100000; now += 1000) {
        unwant(topics, "news", now);
        assert_false(is_live(topics, "news"));
        assert_true(want(topics, "news"));
        assert_true(is_live(topics, "news"));
        assert_string_equal(subscribe(topics), "");
        assert_string_equal(unsubscribe(topics, now + LINGER), "");
    }
    jz_redis_topics_free(topics);
}

static void a_topic_that_nobody_wants_any_more_is_never_subscribed(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    assert_true(want(topics, "news"));
    unwant(topics, "news", 0);
    unwant(topics, "unknown", 0);
    assert_string_equal(subscribe(topics), "");
    assert_null(find(topics, "news"));
    jz_redis_topics_free(topics);
}

/* SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE, with the answers far behind. */
static void a_topic_is_live_only_when_all_its_commands_are_answered(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    assert_true(want(topics, "news"));
    assert_string_equal(subscribe(topics), "news ");
    unwant(topics, "news", 0);
    assert_string_equal(unsubscribe(topics, LINGER), "news ");
    assert_true(want(topics, "news"));
    assert_string_equal(subscribe(topics), "news ");
    for (int answers = 0; answers < 3; answers++) {
        assert_false(is_live(topics, "news"));
        assert_true(answered(topics, "news"));
    }
    assert_true(is_live(topics, "news"));
    jz_redis_topics_free(topics);
}

static void what_was_wanted_again_before_the_answer_stays_or_goes(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "news");
    unwant(topics, "news", 0);
    assert_string_equal(unsubscribe(topics, LINGER), "news ");
    assert_true(want(topics, "news"));
    unwant(topics, "news", LINGER);
    assert_string_equal(subscribe(topics), "");
    assert_true(answered(topics, "news"));
    assert_null(find(topics, "news"));
    jz_redis_topics_free(topics);
}

static void a_lost_connection_lets_all_wanted_topics_be_subscribed_again(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "live");
    subscribe_and_answer(topics, "lingering");
    subscribe_and_answer(topics, "ending");
    unwant(topics, "ending", 0);
    assert_string_equal(unsubscribe(topics, LINGER), "ending ");
    unwant(topics, "lingering", LINGER);
    assert_true(want(topics, "asked"));
    assert_string_equal(subscribe(topics), "asked ");
    assert_true(want(topics, "new"));
    jz_redis_topics_disconnected(topics);
    assert_false(is_live(topics, "live"));
    assert_null(find(topics, "lingering"));
    assert_null(find(topics, "ending"));
    assert_false(answered(topics, "asked"));
    jz_redis_topic_counts counts = jz_redis_topics_counts(topics);
    assert_int_equal(counts.kept, 3);
    assert_int_equal(counts.to_subscribe, 3);
    assert_int_equal(counts.acknowledged, 0);
    assert_int_equal(strlen(subscribe(topics)), strlen("live asked new "));
    jz_redis_topics_free(topics);
}

static void what_was_heard_outlives_a_connection_but_not_a_subscription(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    jz_redis_envelope envelope = {.kind = JZ_REDIS_TEXT, .origin = 1, .sequence = 5};
    subscribe_and_answer(topics, "news");
    assert_true(jz_redis_heard_take(&find(topics, "news")->heard, &envelope, 0).is_new);
    jz_redis_topics_disconnected(topics);
    assert_false(jz_redis_heard_take(&find(topics, "news")->heard, &envelope, 0).is_new);
    assert_string_equal(subscribe(topics), "news ");
    assert_true(answered(topics, "news"));
    unwant(topics, "news", 0);
    assert_string_equal(unsubscribe(topics, LINGER), "news ");
    assert_true(want(topics, "news"));
    assert_true(jz_redis_heard_take(&find(topics, "news")->heard, &envelope, 0).is_new);
    jz_redis_topics_free(topics);
}

static void a_gap_is_told_once_and_only_when_the_topic_is_live(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "live");
    assert_true(want(topics, "asked"));
    assert_string_equal(subscribe(topics), "asked ");
    jz_redis_topics_gap_everywhere(topics);
    jz_redis_topics_gap(topics, find(topics, "live"));
    assert_int_equal(jz_redis_topics_counts(topics).gaps, 2);
    assert_string_equal(gaps(topics), "live ");
    assert_int_equal(jz_redis_topics_counts(topics).gaps, 1);
    assert_true(answered(topics, "asked"));
    assert_string_equal(gaps(topics), "asked ");
    assert_string_equal(gaps(topics), "");
    jz_redis_topics_gap(topics, find(topics, "live"));
    assert_string_equal(gaps(topics), "live ");
    jz_redis_topics_free(topics);
}

static void a_gap_waits_for_the_new_connection(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "news");
    jz_redis_topics_gap(topics, find(topics, "news"));
    jz_redis_topics_disconnected(topics);
    jz_redis_topics_gap_everywhere(topics);
    assert_string_equal(gaps(topics), "");
    assert_string_equal(subscribe(topics), "news ");
    assert_string_equal(gaps(topics), "");
    assert_true(answered(topics, "news"));
    assert_string_equal(gaps(topics), "news ");
    jz_redis_topics_free(topics);
}

static void a_topic_that_nobody_wants_owes_no_gap(void **state)
{
    (void)state;
    jz_redis_topics *topics = begin();
    subscribe_and_answer(topics, "news");
    jz_redis_topics_gap(topics, find(topics, "news"));
    unwant(topics, "news", 0);
    jz_redis_topics_gap_everywhere(topics);
    jz_redis_topics_gap(topics, find(topics, "news"));
    assert_true(want(topics, "news"));
    assert_string_equal(gaps(topics), "");
    assert_int_equal(jz_redis_topics_counts(topics).gaps, 0);
    jz_redis_topics_free(topics);
}

static void names_may_be_any_bytes(void **state)
{
    (void)state;
    static const char zeros[3];
    jz_redis_topics *topics = begin();
    assert_true(jz_redis_topics_want(topics, NULL, 0));
    assert_true(jz_redis_topics_want(topics, zeros, 1));
    assert_true(jz_redis_topics_want(topics, zeros, 3));
    assert_int_equal(jz_redis_topics_counts(topics).wanted, 3);
    assert_ptr_not_equal(jz_redis_topics_find(topics, zeros, 1), jz_redis_topics_find(topics, zeros, 3));
    jz_redis_topics_unwant(topics, zeros, 1, 0);
    assert_null(jz_redis_topics_find(topics, zeros, 1));
    assert_non_null(jz_redis_topics_find(topics, NULL, 0));
    jz_redis_topics_free(topics);
}

static void many_topics_take_few_commands_and_little_memory(void **state)
{
    (void)state;
    enum { MANY = 100000, NAME = 16, MOST_BYTES = 256 };
    static char names[MANY][NAME];
    jz_redis_topics *topics = begin();
    size_t before = test_live_bytes();
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], NAME, "room-%zu", i);
        assert_true(want(topics, names[i]));
    }
    assert_true(test_live_bytes() - before <= (size_t)MANY * MOST_BYTES);
    for (int connection = 0; connection < 2; connection++) {
        jz_redis_topic *batch[JZ_REDIS_TOPIC_BATCH];
        size_t commands = 0;
        while (jz_redis_topics_next_to_subscribe(topics, batch, JZ_REDIS_TOPIC_BATCH) > 0)
            commands++;
        assert_int_equal(commands, (MANY + JZ_REDIS_TOPIC_BATCH - 1) / JZ_REDIS_TOPIC_BATCH);
        for (size_t i = 0; i < MANY; i++)
            assert_true(answered(topics, names[i]));
        assert_int_equal(jz_redis_topics_counts(topics).acknowledged, MANY);
        jz_redis_topics_disconnected(topics);
        assert_int_equal(jz_redis_topics_counts(topics).to_subscribe, MANY);
    }
    for (size_t i = 0; i < MANY; i++)
        unwant(topics, names[i], 0);
    assert_int_equal(jz_redis_topics_counts(topics).kept, 0);
    assert_true(test_live_bytes() - before <= 64 * 1024); /* of the table, in pages of the allocator */
    jz_redis_topics_free(topics);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    for (size_t step = 0;; step++) {
        test_allocations_fail_after(step);
        jz_redis_topics *topics = jz_redis_topics_create(LINGER);
        bool is_wanted = topics != NULL && want(topics, "news");
        test_allocations_succeed();
        if (topics != NULL) {
            assert_int_equal(jz_redis_topics_counts(topics).wanted, is_wanted ? 1 : 0);
            assert_int_equal(jz_redis_topics_counts(topics).kept, is_wanted ? 1 : 0);
            assert_true(want(topics, "news"));
        }
        jz_redis_topics_free(topics);
        assert_int_equal(test_live_allocations(), live);
        if (is_wanted)
            break;
        assert_true(step < 10);
    }
}

/* A server, Redis, and what lies between them, as far as one topic goes. */
enum { MODEL_TOPICS = 6, MODEL_STEPS = 200000, PIPE = 64 };

typedef struct model {
    jz_redis_topics *topics;
    bool is_wanted[MODEL_TOPICS];
    bool has_missed[MODEL_TOPICS]; /* since it was told, and while it was wanted */
    bool is_in_redis[MODEL_TOPICS];
    struct command {
        size_t topic;
        bool is_subscribe;
    } pipe[PIPE]; /* sent, not answered */
    size_t sent;
    uint64_t now_ms;
} model;

static const char *const model_names[MODEL_TOPICS] = {"a", "b", "c", "d", "e", "f"};

static void model_send(model *m, bool is_subscribe, size_t most)
{
    jz_redis_topic *batch[PIPE];
    size_t room = PIPE - m->sent < most ? PIPE - m->sent : most;
    size_t count = is_subscribe ? jz_redis_topics_next_to_subscribe(m->topics, batch, room)
                                : jz_redis_topics_next_to_unsubscribe(m->topics, m->now_ms, batch, room);
    for (size_t i = 0; i < count; i++)
        m->pipe[m->sent++] = (struct command){(size_t)(batch[i]->entry.name[0] - 'a'), is_subscribe};
}

static void model_answer(model *m)
{
    if (m->sent == 0)
        return;
    struct command first = m->pipe[0];
    memmove(m->pipe, m->pipe + 1, --m->sent * sizeof first);
    m->is_in_redis[first.topic] = first.is_subscribe;
    assert_true(answered(m->topics, model_names[first.topic]));
}

static void model_disconnect(model *m)
{
    m->sent = 0;
    memset(m->is_in_redis, 0, sizeof m->is_in_redis);
    jz_redis_topics_disconnected(m->topics);
    jz_redis_topics_gap_everywhere(m->topics);
    for (size_t i = 0; i < MODEL_TOPICS; i++)
        m->has_missed[i] = m->is_wanted[i];
}

static void model_step(model *m, test_random *random)
{
    size_t i = test_random_below(random, MODEL_TOPICS);
    m->now_ms += test_random_below(random, 1000);
    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
        assert_true(want(m->topics, model_names[i]));
        m->is_wanted[i] = true;
        break;
    case 2:
        unwant(m->topics, model_names[i], m->now_ms);
        m->is_wanted[i] = m->has_missed[i] = false;
        break;
    case 3:
        model_send(m, true, 1 + test_random_below(random, 3));
        break;
    case 4:
        model_send(m, false, 1 + test_random_below(random, 3));
        break;
    case 5:
        if (test_random_below(random, 50) == 0)
            model_disconnect(m);
        break;
    default:
        model_answer(m);
    }
}

static void model_check(model *m, bool is_answered)
{
    jz_redis_topic_counts counts = jz_redis_topics_counts(m->topics);
    size_t wanted = 0;
    size_t live = 0;
    size_t owing = 0;
    for (size_t i = 0; i < MODEL_TOPICS; i++) {
        wanted += m->is_wanted[i];
        owing += m->has_missed[i];
        bool is_topic_live = is_live(m->topics, model_names[i]);
        live += is_topic_live;
        assert_true(!is_topic_live || (m->is_wanted[i] && m->is_in_redis[i]));
        if (is_answered && m->is_wanted[i])
            assert_true(is_topic_live);
        assert_true(!is_answered || m->is_wanted[i] || find(m->topics, model_names[i]) == NULL);
    }
    assert_int_equal(counts.wanted, wanted);
    assert_int_equal(counts.acknowledged, live);
    assert_int_equal(counts.gaps, owing);
}

static void model_tell(model *m, bool is_answered)
{
    for (jz_redis_topic *topic; (topic = jz_redis_topics_next_gap(m->topics)) != NULL;) {
        size_t i = (size_t)(topic->entry.name[0] - 'a');
        assert_true(m->has_missed[i] && is_live(m->topics, model_names[i]));
        m->has_missed[i] = false;
    }
    if (is_answered)
        assert_int_equal(jz_redis_topics_counts(m->topics).gaps, 0);
}

/* Whatever happens: what is live is subscribed in Redis; all wanted topics become live, all others go; each gap is
 * told. */
static void whatever_happens_redis_is_subscribed_to_what_is_wanted(void **state)
{
    (void)state;
    test_random random = {15};
    model m = {.topics = begin()};
    for (size_t step = 0; step < MODEL_STEPS; step++) {
        model_step(&m, &random);
        model_check(&m, false);
        if (step % 100 != 99)
            continue;
        model_tell(&m, false);
        if (test_random_below(&random, 4) != 0)
            continue;
        m.now_ms += LINGER;
        do {
            model_send(&m, true, PIPE);
            model_send(&m, false, PIPE);
            model_answer(&m);
        } while (m.sent > 0);
        model_check(&m, true);
        model_tell(&m, true);
    }
    jz_redis_topics_free(m.topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_is_live_once_redis_has_acknowledged_it),
        cmocka_unit_test(a_topic_without_subscribers_lingers_and_is_unsubscribed_then),
        cmocka_unit_test(who_comes_back_while_it_lingers_costs_redis_nothing),
        cmocka_unit_test(a_topic_that_nobody_wants_any_more_is_never_subscribed),
        cmocka_unit_test(a_topic_is_live_only_when_all_its_commands_are_answered),
        cmocka_unit_test(what_was_wanted_again_before_the_answer_stays_or_goes),
        cmocka_unit_test(a_lost_connection_lets_all_wanted_topics_be_subscribed_again),
        cmocka_unit_test(what_was_heard_outlives_a_connection_but_not_a_subscription),
        cmocka_unit_test(a_gap_is_told_once_and_only_when_the_topic_is_live),
        cmocka_unit_test(a_gap_waits_for_the_new_connection),
        cmocka_unit_test(a_topic_that_nobody_wants_owes_no_gap),
        cmocka_unit_test(names_may_be_any_bytes),
        cmocka_unit_test(many_topics_take_few_commands_and_little_memory),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(whatever_happens_redis_is_subscribed_to_what_is_wanted),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis topics", tests, NULL, NULL));
}
