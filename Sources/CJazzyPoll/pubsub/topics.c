#include "pubsub/topics.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4 };

void jz_topics_init(jz_topics *topics)
{
    jz_hash_table_init(&topics->table);
    pthread_mutex_init(&topics->lock, NULL);
}

void jz_topics_destroy(jz_topics *topics)
{
    jz_hash_table_destroy(&topics->table, NULL);
    pthread_mutex_destroy(&topics->lock);
}

static uint64_t hash_of(const jz_topics *topics, jz_text name)
{
    return jz_hash_table_hash(&topics->table, name.start, name.length);
}

static jz_topic *find(const jz_topics *topics, jz_text name, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&topics->table, hash); entry != NULL; entry = entry->next) {
        jz_topic *topic = (jz_topic *)entry;
        if (entry->hash == hash && jz_text_equals(name, (jz_text){topic->name, topic->name_length}))
            return topic;
    }
    return NULL;
}

jz_topic *jz_topics_find(const jz_topics *topics, jz_text name)
{
    return find(topics, name, hash_of(topics, name));
}

static jz_topic *add_topic(jz_topics *topics, jz_text name, uint64_t hash)
{
    jz_topic *topic = name.length < SIZE_MAX - sizeof *topic ? malloc(sizeof *topic + name.length) : NULL;
    if (topic == NULL)
        return NULL;
    *topic = (jz_topic){.entry = {.hash = hash}, .name_length = name.length};
    if (name.length > 0)
        memcpy(topic->name, name.start, name.length);
    if (jz_hash_table_add(&topics->table, &topic->entry))
        return topic;
    free(topic);
    return NULL;
}

/* Nobody is subscribed to it any more. */
static void remove_topic(jz_topics *topics, jz_topic *topic)
{
    jz_hash_table_remove(&topics->table, &topic->entry);
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
