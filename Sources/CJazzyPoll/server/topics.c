#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "../loop/random.h"

enum { FIRST_BUCKETS = 16, FIRST_CAPACITY = 4 };

void jz_topics_init(jz_topics *topics)
{
    *topics = (jz_topics){.seed = jz_random()};
    pthread_mutex_init(&topics->lock, NULL);
}

void jz_topics_destroy(jz_topics *topics)
{
    free(topics->buckets);
    pthread_mutex_destroy(&topics->lock);
}

/* FNV-1a (Fowler, Noll, Vo), finished so that the low bits depend on all (the 64-bit finalizer of MurmurHash3). */
static uint64_t hash_of(const jz_topics *topics, jz_text name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ topics->seed;
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (uint8_t)name.start[i]) * UINT64_C(0x100000001B3);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xFF51AFD7ED558CCD);
    return hash ^ hash >> 33;
}

static jz_topic **bucket_of(const jz_topics *topics, uint64_t hash)
{
    return &topics->buckets[hash & (topics->bucket_count - 1)];
}

static jz_topic *find(const jz_topics *topics, jz_text name, uint64_t hash)
{
    if (topics->bucket_count == 0)
        return NULL;
    for (jz_topic *topic = *bucket_of(topics, hash); topic != NULL; topic = topic->next) {
        if (topic->hash == hash && jz_text_equals(name, (jz_text){topic->name, topic->name_length}))
            return topic;
    }
    return NULL;
}

jz_topic *jz_topics_find(const jz_topics *topics, jz_text name)
{
    return find(topics, name, hash_of(topics, name));
}

static void link_topic(jz_topics *topics, jz_topic *topic)
{
    jz_topic **bucket = bucket_of(topics, topic->hash);
    topic->next = *bucket;
    *bucket = topic;
}

/* As many buckets as topics, at least. Failing to grow only makes finding slower. */
static bool grow_buckets(jz_topics *topics)
{
    if (topics->count < topics->bucket_count)
        return true;
    size_t bucket_count = topics->bucket_count > 0 ? topics->bucket_count * 2 : FIRST_BUCKETS;
    jz_topic **buckets = calloc(bucket_count, sizeof(jz_topic *));
    if (buckets == NULL)
        return topics->bucket_count > 0;
    jz_topic **old = topics->buckets;
    size_t old_count = topics->bucket_count;
    topics->buckets = buckets;
    topics->bucket_count = bucket_count;
    for (size_t i = 0; i < old_count; i++) {
        jz_topic *next;
        for (jz_topic *topic = old[i]; topic != NULL; topic = next) {
            next = topic->next;
            link_topic(topics, topic);
        }
    }
    free(old);
    return true;
}

static jz_topic *add_topic(jz_topics *topics, jz_text name, uint64_t hash)
{
    if (!grow_buckets(topics))
        return NULL;
    jz_topic *topic = malloc(sizeof *topic + name.length);
    if (topic == NULL)
        return NULL;
    *topic = (jz_topic){.hash = hash, .name_length = name.length};
    if (name.length > 0)
        memcpy(topic->name, name.start, name.length);
    link_topic(topics, topic);
    topics->count++;
    return topic;
}

/* Nobody is subscribed to it any more. */
static void remove_topic(jz_topics *topics, jz_topic *topic)
{
    jz_topic **link = bucket_of(topics, topic->hash);
    while (*link != topic)
        link = &(*link)->next;
    *link = topic->next;
    topics->count--;
    free(topic->subscribers);
    free(topic);
}

static jz_subscription *find_subscription(const jz_connection *connection, const jz_topic *topic)
{
    jz_subscriptions *subscriptions = connection->subscriptions;
    if (subscriptions == NULL)
        return NULL;
    /* Either side knows; the shorter one is searched. */
    if (topic->count < subscriptions->count) {
        for (size_t i = 0; i < topic->count; i++) {
            if (topic->subscribers[i].connection == connection)
                return &subscriptions->all[topic->subscribers[i].position];
        }
        return NULL;
    }
    for (size_t i = 0; i < subscriptions->count; i++) {
        if (subscriptions->all[i].topic == topic)
            return &subscriptions->all[i];
    }
    return NULL;
}

/* Makes room for one more, by doubling. */
static bool grow(void **items, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
    void *grown = realloc(*items, wanted * item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

static bool make_room(jz_topic *topic, jz_connection *connection)
{
    if (connection->subscriptions == NULL)
        connection->subscriptions = calloc(1, sizeof *connection->subscriptions);
    jz_subscriptions *subscriptions = connection->subscriptions;
    if (subscriptions == NULL)
        return false;
    void *all = subscriptions->all;
    void *subscribers = topic->subscribers;
    bool has_room = grow(&all, &subscriptions->capacity, subscriptions->count, sizeof *subscriptions->all) &&
                    grow(&subscribers, &topic->capacity, topic->count, sizeof *topic->subscribers);
    subscriptions->all = all;
    topic->subscribers = subscribers;
    return has_room;
}

static void free_subscriptions_if_empty(jz_connection *connection)
{
    jz_subscriptions *subscriptions = connection->subscriptions;
    if (subscriptions == NULL || subscriptions->count > 0)
        return;
    free(subscriptions->all);
    free(subscriptions);
    connection->subscriptions = NULL;
}

/* Both sides keep each other's position, so that leaving moves two last entries and searches nothing. */
static void remove_subscription(jz_topics *topics, jz_connection *connection, jz_subscription *subscription)
{
    jz_topic *topic = subscription->topic;
    jz_subscriptions *subscriptions = connection->subscriptions;

    jz_subscriber *place = &topic->subscribers[subscription->position];
    *place = topic->subscribers[--topic->count];
    place->connection->subscriptions->all[place->position].position = subscription->position;

    *subscription = subscriptions->all[--subscriptions->count];
    size_t position = (size_t)(subscription - subscriptions->all);
    if (position < subscriptions->count)
        subscription->topic->subscribers[subscription->position].position = position;

    if (topic->count == 0)
        remove_topic(topics, topic);
    free_subscriptions_if_empty(connection);
}

bool jz_topics_subscribe(jz_topics *topics, jz_connection *connection, jz_text name)
{
    uint64_t hash = hash_of(topics, name);
    pthread_mutex_lock(&topics->lock);
    jz_topic *topic = find(topics, name, hash);
    bool is_subscribed = topic != NULL && find_subscription(connection, topic) != NULL;
    if (!is_subscribed) {
        if (topic == NULL)
            topic = add_topic(topics, name, hash);
        is_subscribed = topic != NULL && make_room(topic, connection);
        if (is_subscribed) {
            jz_subscriptions *subscriptions = connection->subscriptions;
            subscriptions->all[subscriptions->count] = (jz_subscription){topic, topic->count};
            topic->subscribers[topic->count++] = (jz_subscriber){connection, subscriptions->count++};
        } else {
            if (topic != NULL && topic->count == 0)
                remove_topic(topics, topic);
            free_subscriptions_if_empty(connection);
        }
    }
    pthread_mutex_unlock(&topics->lock);
    return is_subscribed;
}

bool jz_topics_unsubscribe(jz_topics *topics, jz_connection *connection, jz_text name)
{
    jz_topic *topic = jz_topics_find(topics, name);
    jz_subscription *subscription = topic != NULL ? find_subscription(connection, topic) : NULL;
    if (subscription == NULL)
        return false;
    pthread_mutex_lock(&topics->lock);
    remove_subscription(topics, connection, subscription);
    pthread_mutex_unlock(&topics->lock);
    return true;
}

void jz_topics_unsubscribe_all(jz_topics *topics, jz_connection *connection)
{
    if (connection->subscriptions == NULL)
        return;
    pthread_mutex_lock(&topics->lock);
    while (connection->subscriptions != NULL)
        remove_subscription(topics, connection, &connection->subscriptions->all[connection->subscriptions->count - 1]);
    pthread_mutex_unlock(&topics->lock);
}

bool jz_topics_is_subscribed(const jz_topics *topics, const jz_connection *connection, jz_text name)
{
    const jz_topic *topic = jz_topics_find(topics, name);
    return topic != NULL && find_subscription(connection, topic) != NULL;
}
