#include "pubsub/interest.h"

#include <stdlib.h>

#include "loop/count.h"
#include "pubsub/company_message.h"
#include "pubsub/shared_past.h"

typedef struct topic {
    jz_hash_entry entry; /* first, so that a pointer to it points to its topic */
    size_t shard_count;
    size_t name_length;
    char name[];
} topic;

void jz_interest_init(jz_interest *interest, const jz_broker *broker)
{
    *interest = (jz_interest){.broker = broker};
    jz_hash_table_init(&interest->table);
    pthread_mutex_init(&interest->lock, NULL);
}

static void discard(jz_hash_entry *entry)
{
    free(entry);
}

void jz_interest_destroy(jz_interest *interest)
{
    jz_hash_table_destroy(&interest->table, discard);
    pthread_mutex_destroy(&interest->lock);
}

static topic *find(const jz_interest *interest, jz_text name, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&interest->table, hash); entry != NULL; entry = entry->next) {
        topic *found = (topic *)entry;
        if (entry->hash == hash && jz_text_equals(name, (jz_text){found->name, found->name_length}))
            return found;
    }
    return NULL;
}

static topic *add(jz_interest *interest, jz_text name, uint64_t hash)
{
    topic *added = name.length < SIZE_MAX - sizeof *added ? malloc(sizeof *added + name.length) : NULL;
    if (added == NULL)
        return NULL;
    *added = (topic){.entry = {.hash = hash}, .name_length = name.length};
    if (name.length > 0)
        memcpy(added->name, name.start, name.length);
    if (jz_hash_table_add(&interest->table, &added->entry))
        return added;
    free(added);
    return NULL;
}

/* Publishes the number of topics. Call with the lock held. */
static void publish_count(jz_interest *interest)
{
    atomic_store_explicit(&interest->topic_count, interest->table.count - interest->hidden_count, memory_order_relaxed);
}

static void tell_of(const jz_interest *interest, const topic *told)
{
    interest->broker->subscribe(interest->broker->context, told->name, told->name_length);
}

/* Before the broker is told: what its messages belong to. False: no memory. */
static bool expect(const jz_interest *interest, jz_text name)
{
    jz_history *history = interest->history != NULL ? *interest->history : NULL;
    if (history == NULL || jz_topic_is_hidden(name))
        return true;
    if (interest->broker->publish_kept != NULL)
        return jz_history_want(history, name);
    jz_history_renew(history, name);
    return true;
}

/* The same in the other direction. */
static void forget(const jz_interest *interest, jz_text name)
{
    bool has_history = interest->history != NULL && *interest->history != NULL && !jz_topic_is_hidden(name);
    if (has_history && interest->broker->publish_kept != NULL)
        jz_history_unwant(*interest->history, name);
}

static void remove_topic(jz_interest *interest, topic *removed)
{
    jz_hash_table_remove(&interest->table, &removed->entry);
    free(removed);
}

bool jz_interest_came(jz_interest *interest, jz_text name)
{
    uint64_t hash = jz_hash_table_hash(&interest->table, name.start, name.length);
    pthread_mutex_lock(&interest->lock);
    topic *found = find(interest, name, hash);
    bool is_first = found == NULL;
    if (is_first)
        found = add(interest, name, hash);
    if (found != NULL && is_first && !expect(interest, name)) {
        remove_topic(interest, found);
        found = NULL;
    }
    if (found != NULL)
        found->shard_count++;
    if (found != NULL && is_first) {
        interest->hidden_count += jz_topic_is_hidden(name) ? 1 : 0;
        publish_count(interest);
        if (!interest->is_over)
            tell_of(interest, found);
    }
    pthread_mutex_unlock(&interest->lock);
    return found != NULL;
}

void jz_interest_went(jz_interest *interest, jz_text name)
{
    uint64_t hash = jz_hash_table_hash(&interest->table, name.start, name.length);
    pthread_mutex_lock(&interest->lock);
    topic *found = find(interest, name, hash);
    if (--found->shard_count == 0) {
        remove_topic(interest, found);
        interest->hidden_count -= jz_topic_is_hidden(name) ? 1 : 0;
        publish_count(interest);
        forget(interest, name);
        if (!interest->is_over)
            interest->broker->unsubscribe(interest->broker->context, name.start, name.length);
    }
    pthread_mutex_unlock(&interest->lock);
}

static void tell_entry(void *context, jz_hash_entry *entry)
{
    tell_of(context, (const topic *)entry);
}

size_t jz_interest_tell_all(jz_interest *interest)
{
    pthread_mutex_lock(&interest->lock);
    size_t count = interest->is_over ? 0 : interest->table.count;
    if (count > 0)
        jz_hash_table_visit(&interest->table, tell_entry, interest);
    count -= count > 0 ? interest->hidden_count : 0;
    pthread_mutex_unlock(&interest->lock);
    return count;
}

void jz_interest_end(jz_interest *interest)
{
    pthread_mutex_lock(&interest->lock);
    interest->is_over = true;
    pthread_mutex_unlock(&interest->lock);
}
