#include "pubsub/topics.h"

#include <stdlib.h>
#include <string.h>

#include "loop/count.h"

enum { FIRST_CAPACITY = 4 };

void jz_topics_init(jz_topics *topics)
{
    jz_hash_table_init(&topics->table);
    pthread_mutex_init(&topics->lock, NULL);
    topics->owner = NULL;
    topics->seats = NULL;
    topics->ended = NULL;
    atomic_init(&topics->topic_count, 0);
    atomic_init(&topics->subscription_count, 0);
    jz_traffic_init(&topics->traffic);
    atomic_init(&topics->asked, 0);
}

void jz_topics_destroy(jz_topics *topics)
{
    jz_hash_table_destroy(&topics->table, NULL);
    jz_seats_free(topics->seats);
    jz_traffic_destroy(&topics->traffic);
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

jz_topic *jz_topics_find_hashed(const jz_topics *topics, jz_text name, uint64_t hash)
{
    return find(topics, name, hash);
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
    if (jz_hash_table_add(&topics->table, &topic->entry)) {
        jz_count(&topics->topic_count, 1);
        return topic;
    }
    free(topic);
    return NULL;
}

static void free_topic(jz_topic *topic)
{
    free(topic->subscribers);
    free(topic);
}

/* Removes a topic without subscribers. */
static void remove_topic(jz_topics *topics, jz_topic *topic)
{
    jz_hash_table_remove(&topics->table, &topic->entry);
    jz_uncount(&topics->topic_count, 1);
    jz_traffic_forget(&topics->traffic, topic);
    if (topics->owner == NULL) {
        free_topic(topic);
        return;
    }
    topic->entry.next = (jz_hash_entry *)topics->ended;
    topics->ended = topic;
}

/* Call without the lock, because the owner may call other code. */
static void tell_of_ended(jz_topics *topics)
{
    while (topics->ended != NULL) {
        jz_topic *topic = topics->ended;
        topics->ended = (jz_topic *)topic->entry.next;
        topics->owner->went(topics->owner->context, (jz_text){topic->name, topic->name_length});
        free_topic(topic);
    }
}

static JZ_NEVER_INLINED void follow_unsubscribed(jz_topics *topics, const jz_connection *connection, jz_text name)
{
    if (topics->seats != NULL)
        jz_seats_leave(topics->seats, connection, name);
    tell_of_ended(topics);
}

static JZ_NEVER_INLINED void follow_unsubscribed_from_all(jz_topics *topics, const jz_connection *connection)
{
    if (topics->seats != NULL)
        jz_seats_leave_all(topics->seats, connection);
    tell_of_ended(topics);
}

/* Of a shard whose topics nobody else follows, but whose connections have seats. */
static bool let_come(void *context, jz_text topic)
{
    (void)context, (void)topic;
    return true;
}

static void let_go(void *context, jz_text topic)
{
    (void)context, (void)topic;
}

bool jz_topics_seat(jz_topics *topics, jz_presence *presence, jz_connection *connection, jz_attendee *attendee)
{
    /* So plain subscriptions of servers without members look at the owner only, as they do anyway. */
    static const jz_topics_owner nobody = {.came = let_come, .went = let_go};
    if (topics->seats == NULL)
        topics->seats = jz_seats_create(presence);
    if (topics->seats == NULL)
        return false;
    if (topics->owner == NULL)
        topics->owner = &nobody;
    return jz_seats_take(topics->seats, connection, attendee);
}

static jz_subscription *find_subscription(const jz_connection *connection, const jz_topic *topic)
{
    jz_subscriptions *subscriptions = connection->subscriptions;
    if (subscriptions == NULL)
        return NULL;
    /* Both sides have the subscription; search the shorter list. */
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

/* Makes room for one more item, by doubling the capacity. */
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
    if (subscriptions == NULL || subscriptions->count >= UINT32_MAX)
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

/* Both sides store each other's position, so removing moves the last entry of each list, without searching. */
static void remove_subscription(jz_topics *topics, jz_connection *connection, jz_subscription *subscription)
{
    jz_topic *topic = subscription->topic;
    jz_subscriptions *subscriptions = connection->subscriptions;

    jz_subscriber *place = &topic->subscribers[subscription->position];
    if (place->is_enveloped)
        topic->enveloped--;
    *place = topic->subscribers[--topic->count];
    place->connection->subscriptions->all[place->position].position = subscription->position;

    *subscription = subscriptions->all[--subscriptions->count];
    size_t position = (size_t)(subscription - subscriptions->all);
    if (position < subscriptions->count)
        subscription->topic->subscribers[subscription->position].position = (uint32_t)position;

    jz_uncount(&topics->subscription_count, 1);
    if (topic->count == 0)
        remove_topic(topics, topic);
    free_subscriptions_if_empty(connection);
}

/* Call with the lock held. `topic` NULL: there is none of that name yet. False when there is no memory. */
static bool add_subscription(jz_topics *topics, jz_connection *connection, jz_topic *topic, jz_text name, uint64_t hash)
{
    if (topic == NULL)
        topic = add_topic(topics, name, hash);
    if (topic != NULL && make_room(topic, connection)) {
        jz_subscriptions *subscriptions = connection->subscriptions;
        subscriptions->all[subscriptions->count] = (jz_subscription){topic, topic->count};
        topic->subscribers[topic->count++] =
            (jz_subscriber){connection, (uint32_t)subscriptions->count++, false, false};
        jz_count(&topics->subscription_count, 1);
        return true;
    }
    if (topic != NULL && topic->count == 0) {
        jz_hash_table_remove(&topics->table, &topic->entry);
        jz_uncount(&topics->topic_count, 1);
        free_topic(topic);
    }
    free_subscriptions_if_empty(connection);
    return false;
}

static bool subscribe(jz_topics *topics, jz_connection *connection, jz_topic *topic, jz_text name, uint64_t hash)
{
    pthread_mutex_lock(&topics->lock);
    bool is_subscribed = add_subscription(topics, connection, topic, name, hash);
    pthread_mutex_unlock(&topics->lock);
    return is_subscribed;
}

/*
 * The first of this name. The owner is told before, so that the subscription is not visible if that fails, and without
 * the lock, because it may call other code; what it has delivered at once waits for the subscription.
 */
static bool subscribe_and_tell(jz_topics *topics, jz_connection *connection, jz_text name, uint64_t hash)
{
    const jz_topics_owner *told = topics->owner;
    jz_topics_ask(topics);
    bool is_taken = told->came(told->context, name);
    bool is_subscribed = is_taken && subscribe(topics, connection, NULL, name, hash);
    jz_topics_asked(topics);
    if (is_taken && !is_subscribed)
        told->went(told->context, name);
    return is_subscribed;
}

bool jz_topics_subscribe(jz_topics *topics, jz_connection *connection, jz_text name)
{
    uint64_t hash = hash_of(topics, name);
    jz_topic *topic = find(topics, name, hash);
    if (topic != NULL && find_subscription(connection, topic) != NULL)
        return true;
    if (topic == NULL && topics->owner != NULL)
        return subscribe_and_tell(topics, connection, name, hash);
    return subscribe(topics, connection, topic, name, hash);
}

bool jz_topics_subscribe_exactly(jz_topics *topics, jz_connection *connection, jz_text name, bool is_enveloped,
                                 uint64_t offset)
{
    if (!jz_topics_subscribe(topics, connection, name))
        return false;
    jz_topic *topic = jz_topics_find(topics, name);
    jz_subscriber *subscriber = &topic->subscribers[find_subscription(connection, topic)->position];
    if (subscriber->is_enveloped)
        topic->enveloped--;
    /* Who begins nowhere counts from 0, unless others know better. */
    if (offset != JZ_OFFSET_UNKNOWN || topic->enveloped == 0)
        topic->offset = offset != JZ_OFFSET_UNKNOWN ? offset : 0;
    if (is_enveloped)
        topic->enveloped++;
    subscriber->is_exact = true;
    subscriber->is_enveloped = is_enveloped;
    return true;
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
    if (topics->owner != NULL)
        follow_unsubscribed(topics, connection, name);
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
    if (topics->owner != NULL)
        follow_unsubscribed_from_all(topics, connection);
}

bool jz_topics_is_subscribed(const jz_topics *topics, const jz_connection *connection, jz_text name)
{
    const jz_topic *topic = jz_topics_find(topics, name);
    return topic != NULL && find_subscription(connection, topic) != NULL;
}
