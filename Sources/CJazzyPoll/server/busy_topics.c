/* The busiest topics of a server, from what each loop has counted. */
#include <stdlib.h>
#include <string.h>

#include "server/looks.h"

/* A look that comes sooner after another shows the same period. */
enum { SHORTEST_PERIOD_MS = 500, NS_PER_MS = 1000 * 1000 };

static int compare_names(const void *left, const void *right)
{
    const jz_busy_topic *a = left;
    const jz_busy_topic *b = right;
    if (a->name_hash != b->name_hash)
        return a->name_hash < b->name_hash ? -1 : 1;
    if (a->look.name_length != b->look.name_length)
        return a->look.name_length < b->look.name_length ? -1 : 1;
    return memcmp(a->look.name, b->look.name, a->look.name_length);
}

static int compare_amounts(const void *left, const void *right)
{
    const jz_busy_topic *a = left;
    const jz_busy_topic *b = right;
    uint64_t amount_of_a = a->look.publications + a->look.deliveries;
    uint64_t amount_of_b = b->look.publications + b->look.deliveries;
    if (amount_of_a != amount_of_b)
        return amount_of_a > amount_of_b ? -1 : 1;
    return compare_names(left, right);
}

/* Every publication goes to each loop, which counts it if it has subscribers; each delivery is of one loop. */
static void add(jz_topic_look *sum, const jz_topic_look *part)
{
    sum->publications = part->publications > sum->publications ? part->publications : sum->publications;
    sum->deliveries += part->deliveries;
    sum->bytes += part->bytes;
    sum->subscribers += part->subscribers;
}

/* Adds up what several loops know of one topic. Returns how many topics are left. */
static size_t merge(jz_busy_topic *topics, size_t count)
{
    size_t merged = 0;
    qsort(topics, count, sizeof *topics, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (merged > 0 && compare_names(&topics[merged - 1], &topics[i]) == 0)
            add(&topics[merged - 1].look, &topics[i].look);
        else
            topics[merged++] = topics[i];
    }
    return merged;
}

/* Takes what all loops have counted, and lets them begin a new period. Returns how many there are. */
static size_t take_all(jz_server *server, uint64_t now_ms, jz_busy_topic *topics)
{
    const jz_siphash_key *key = &server->shards[0].topics.table.key;
    size_t count = 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_topics *own = &server->shards[i].topics;
        pthread_mutex_lock(&own->lock);
        count += jz_traffic_take(&own->traffic, now_ms, key, &topics[count]);
        pthread_mutex_unlock(&own->lock);
    }
    return count;
}

static void keep(jz_looking *looking, jz_busy_topic *topics, size_t count)
{
    size_t merged = merge(topics, count);
    qsort(topics, merged, sizeof *topics, compare_amounts);
    looking->count = merged < JZ_MOST_LOOKED_AT ? merged : JZ_MOST_LOOKED_AT;
    for (size_t i = 0; i < looking->count; i++)
        looking->topics[i] = topics[i].look;
}

/* Ends the period that runs, if any, and begins another. Call with the lock held. */
static void begin_period(jz_server *server, uint64_t now_ns, jz_busy_topic *topics)
{
    jz_looking *looking = &server->looking;
    size_t count = take_all(server, now_ns / NS_PER_MS, topics);
    bool goes_on = looking->began_ns != 0 && now_ns / NS_PER_MS < looking->began_ns / NS_PER_MS + JZ_TRAFFIC_LASTS_MS;
    /* Nobody has looked for so long that the loops have ceased to count. */
    if (!goes_on)
        count = 0;
    keep(looking, topics, count);
    looking->period_ns = goes_on ? now_ns - looking->began_ns : 0;
    looking->period += goes_on ? 1 : 0;
    looking->began_ns = now_ns;
}

bool jz_look_at_topics(jz_server *server, jz_look *look, jz_topic_look *topics, size_t most)
{
    jz_looking *looking = &server->looking;
    jz_busy_topic *all = malloc(server->shard_count * JZ_MOST_LOOKED_AT * sizeof *all);
    if (all == NULL)
        return false;
    pthread_mutex_lock(&looking->lock);
    uint64_t now_ns = jz_clock_ns();
    if (looking->began_ns == 0 || now_ns - looking->began_ns >= (uint64_t)SHORTEST_PERIOD_MS * NS_PER_MS)
        begin_period(server, now_ns, all);
    look->topics_ns = looking->period_ns;
    look->topics_period = looking->period_ns != 0 ? looking->period : 0;
    look->topic_count = looking->count < most ? looking->count : most;
    memcpy(topics, looking->topics, look->topic_count * sizeof *topics);
    pthread_mutex_unlock(&looking->lock);
    free(all);
    return true;
}
