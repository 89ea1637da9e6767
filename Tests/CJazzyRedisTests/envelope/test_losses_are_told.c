/*
 * Publishers, Redis and receivers, with faults at random, but without connections: whatever is lost on the way, whoever
 * was subscribed when it was published is told of a gap, no message arrives twice, the order of each publisher is kept;
 * and without a fault no gap is told.
 */
#include "envelope/heard.h"
#include "envelope/published.h"
#include "support/random.h"
#include "support/testing.h"

enum {
    PUBLISHERS = 3,
    RECEIVERS = 3,
    TOPICS = 5,
    CAPACITY = 3, /* fewer than topics: some are forgotten */
    QUEUE = 4,
    MESSAGES = 1500,
    MOST_STEPS = 200, /* until all is settled and checked */
    SEEDS = 100,
    ISOLATION_MS = 10000
};

typedef struct message {
    jz_redis_publication *publication; /* NULL: LOST_ANY */
    jz_redis_envelope envelope;
    size_t topic;
    size_t id; /* of a message, not of an announcement */
    bool was_sent;
} message;

typedef struct publisher {
    jz_redis_published *published;
    message queue[QUEUE];
    size_t queued;
    bool is_isolated; /* its Redis takes what it sends, and nobody listens there */
    uint64_t isolated_ms;
} publisher;

typedef struct receiver {
    struct subscription {
        jz_redis_heard heard;
        bool is_subscribed;
        size_t since;               /* the first id that it is to get, or to be told of */
        size_t told;                /* all ids below may be missing */
        size_t last_of[PUBLISHERS]; /* id + 1 */
    } topics[TOPICS];
    bool got[MESSAGES];
} receiver;

typedef struct world {
    test_random random;
    uint64_t now_ms;
    bool has_faults;
    publisher publishers[PUBLISHERS];
    receiver receivers[RECEIVERS];
    struct {
        size_t topic;
        size_t publisher;
    } messages[MESSAGES];
    size_t count;
    size_t gaps;
} world;

static bool chance(world *w, size_t one_in)
{
    return w->has_faults && test_random_below(&w->random, one_in) == 0;
}

static void tell(world *w, struct subscription *s)
{
    s->told = w->count;
    w->gaps++;
}

static void hear(world *w, receiver *r, const message *m)
{
    if (m->envelope.kind == JZ_REDIS_LOST_ANY) {
        for (size_t i = 0; i < TOPICS; i++)
            tell(w, &r->topics[i]);
        return;
    }
    struct subscription *s = &r->topics[m->topic];
    if (!s->is_subscribed)
        return;
    jz_redis_verdict verdict = jz_redis_heard_take(&s->heard, &m->envelope, w->now_ms);
    if (verdict.is_gap)
        tell(w, s);
    if (!verdict.is_new)
        return;
    assert_false(r->got[m->id]);
    size_t *last = &s->last_of[w->messages[m->id].publisher];
    assert_true(m->id + 1 > *last);
    *last = m->id + 1;
    r->got[m->id] = true;
}

static void lost(publisher *p, const message *m)
{
    if (m->publication == NULL)
        jz_redis_published_lost_any(p->published);
    else
        jz_redis_published_lost(p->published, m->publication,
                                m->envelope.kind == JZ_REDIS_ANNOUNCEMENT ? m->envelope.lost_from
                                                                          : m->envelope.sequence);
}

static void publish(world *w, publisher *p)
{
    message m = {.envelope = {.kind = JZ_REDIS_TEXT}, .topic = test_random_below(&w->random, TOPICS), .id = w->count};
    const char name = (char)('a' + m.topic);
    m.publication = jz_redis_published_take(p->published, &name, 1, w->now_ms, &m.envelope);
    assert_non_null(m.publication);
    w->messages[w->count].topic = m.topic;
    w->messages[w->count++].publisher = (size_t)(p - w->publishers);
    if (p->queued == QUEUE || chance(w, 20))
        lost(p, &m);
    else
        p->queue[p->queued++] = m;
}

static void announce(const world *w, publisher *p)
{
    message m = {0};
    if (p->queued < QUEUE && jz_redis_published_is_lost_any_due(p->published)) {
        jz_redis_published_take_lost_any(p->published, w->now_ms, &m.envelope);
        p->queue[p->queued++] = m;
    }
    if (p->queued == QUEUE)
        return;
    m.publication = jz_redis_published_next_announcement(p->published, w->now_ms, &m.envelope);
    if (m.publication == NULL)
        return;
    m.topic = (size_t)(m.publication->entry.name[0] - 'a');
    p->queue[p->queued++] = m;
}

static void reconnect(world *w, publisher *p)
{
    p->is_isolated = false;
    jz_redis_published_reconnected(p->published, 0, w->now_ms);
}

/* The first of the queue is delivered, and maybe its answer is lost, or it is refused, or nobody hears it. */
static void send(world *w, publisher *p)
{
    if (p->queued == 0)
        return;
    message m = p->queue[0];
    bool is_refused = chance(w, 30);
    for (size_t i = 0; i < RECEIVERS && !is_refused && !p->is_isolated; i++)
        hear(w, &w->receivers[i], &m);
    if (!is_refused && chance(w, 30)) {
        reconnect(w, p); /* it stays queued, and is sent again */
        return;
    }
    if (is_refused)
        lost(p, &m);
    else if (m.publication != NULL)
        jz_redis_published_answered(p->published, m.publication);
    memmove(p->queue, p->queue + 1, --p->queued * sizeof m);
}

/* What it should have got and did not, it was told of. To be asked when there is nothing on its way. */
static void check(world *w, receiver *r, size_t topic)
{
    struct subscription *s = &r->topics[topic];
    for (size_t id = s->since; id < w->count && s->is_subscribed; id++)
        assert_that(w->messages[id].topic != topic || r->got[id] || id < s->told, "%zu of %zu is missing", id,
                    w->count);
    s->since = w->count;
    s->told = 0;
}

static void end(struct subscription *s)
{
    jz_redis_heard_clear(&s->heard);
    *s = (struct subscription){0};
}

static void receive(world *w, receiver *r)
{
    size_t topic = test_random_below(&w->random, TOPICS);
    struct subscription *s = &r->topics[topic];
    if (!s->is_subscribed) {
        *s = (struct subscription){.is_subscribed = true, .since = w->count};
        for (size_t id = 0; id < w->count; id++)
            r->got[id] = r->got[id] && w->messages[id].topic != topic;
    } else if (test_random_below(&w->random, 40) == 0) {
        end(s);
    } else if (chance(w, 40)) {
        for (size_t i = 0; i < TOPICS; i++)
            tell(w, &r->topics[i]); /* its connection was lost */
    }
}

static void step(world *w)
{
    publisher *p = &w->publishers[test_random_below(&w->random, PUBLISHERS)];
    w->now_ms += test_random_below(&w->random, 200);
    switch (test_random_below(&w->random, 6)) {
    case 0:
    case 1:
        if (w->has_faults || p->queued < QUEUE)
            publish(w, p);
        break;
    case 2:
        announce(w, p);
        break;
    case 3:
        receive(w, &w->receivers[test_random_below(&w->random, RECEIVERS)]);
        break;
    default:
        send(w, p);
    }
    if (!p->is_isolated && chance(w, 100)) {
        p->is_isolated = true;
        p->isolated_ms = w->now_ms;
    }
    for (size_t i = 0; i < PUBLISHERS; i++) {
        if (w->publishers[i].is_isolated && w->now_ms - w->publishers[i].isolated_ms > ISOLATION_MS)
            reconnect(w, &w->publishers[i]);
    }
}

/* No more faults, until there is nothing more to send or to announce. */
static void settle(world *w)
{
    bool had_faults = w->has_faults;
    w->has_faults = false;
    for (size_t i = 0; i < PUBLISHERS; i++) {
        publisher *p = &w->publishers[i];
        if (p->is_isolated)
            reconnect(w, p);
        do {
            announce(w, p);
            send(w, p);
        } while (p->queued > 0 || jz_redis_published_announcements_due(p->published) > 0 ||
                 jz_redis_published_is_lost_any_due(p->published));
        assert_true(jz_redis_published_count(p->published) <= CAPACITY + QUEUE);
    }
    w->has_faults = had_faults;
}

static size_t play(uint64_t seed, bool has_faults)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->random.state = seed;
    w->has_faults = has_faults;
    for (size_t i = 0; i < PUBLISHERS; i++) {
        w->publishers[i].published = jz_redis_published_create(i + 1, CAPACITY);
        assert_non_null(w->publishers[i].published);
    }
    while (w->count < MESSAGES) {
        for (size_t i = test_random_below(&w->random, MOST_STEPS); i > 0 && w->count < MESSAGES; i--)
            step(w);
        settle(w);
        for (size_t i = 0; i < RECEIVERS * TOPICS; i++)
            check(w, &w->receivers[i / TOPICS], i % TOPICS);
    }
    for (size_t i = 0; i < RECEIVERS * TOPICS; i++)
        end(&w->receivers[i / TOPICS].topics[i % TOPICS]);
    for (size_t i = 0; i < PUBLISHERS; i++)
        jz_redis_published_free(w->publishers[i].published);
    size_t gaps = w->gaps;
    free(w);
    return gaps;
}

static void whatever_is_lost_is_told(void **state)
{
    (void)state;
    size_t gaps = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        gaps += play(seed, true);
    assert_true(gaps > SEEDS);
}

static void without_a_fault_no_gap_is_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        assert_int_equal(play(seed, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_lost_is_told),
        cmocka_unit_test(without_a_fault_no_gap_is_told),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("losses are told", tests, NULL, NULL));
}
