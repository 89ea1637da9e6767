#include "topics/topics.h"

#include <stdlib.h>
#include <string.h>

struct jz_redis_topics {
    jz_redis_table table;
    jz_redis_list to_subscribe; /* wanted */
    jz_redis_list lingering;    /* not wanted, subscribed; the first ends first */
    jz_redis_list ending;       /* not wanted, not subscribed; answers are outstanding */
    jz_redis_list refused;      /* wanted, not subscribed, not to be asked for just now */
    jz_redis_list to_tell;      /* owe a gap, wanted, acknowledged */
    size_t wanted;
    size_t acknowledged;
    size_t owing;
    jz_redis_topic *found_last; /* NULL: none, or it is gone */
    uint32_t linger_ms;

    /* The turns of topics that are not acknowledged: there are two at most, `turn` and the one before. Once somebody
       waits for `turn`, nothing more is added to it as soon as the one before is over. */
    uint64_t turn;
    size_t in_turn;
    size_t in_turn_before;
    bool is_waited_for; /* `turn` */
    bool is_connected;
    bool is_slow; /* nobody waits any more */
};

jz_redis_topics *jz_redis_topics_create(uint32_t linger_ms)
{
    jz_redis_topics *topics = malloc(sizeof *topics);
    if (topics == NULL)
        return NULL;
    *topics = (jz_redis_topics){.linger_ms = linger_ms, .turn = 1};
    jz_redis_table_init(&topics->table);
    jz_redis_list_init(&topics->to_subscribe);
    jz_redis_list_init(&topics->lingering);
    jz_redis_list_init(&topics->ending);
    jz_redis_list_init(&topics->refused);
    jz_redis_list_init(&topics->to_tell);
    return topics;
}

static void discard(jz_redis_entry *entry)
{
    jz_redis_topic *topic = (jz_redis_topic *)entry;
    jz_redis_heard_clear(&topic->heard);
    free(topic);
}

void jz_redis_topics_free(jz_redis_topics *topics)
{
    if (topics == NULL)
        return;
    jz_redis_table_destroy(&topics->table, discard);
    free(topics);
}

/* Moves it from the list where it is to another one; NULL: none. */
static void put(jz_redis_topic *topic, jz_redis_list *list)
{
    if (topic->listed != NULL)
        jz_redis_list_remove(topic->listed, &topic->place);
    topic->listed = list;
    if (list != NULL)
        jz_redis_list_append(list, &topic->place);
}

static jz_redis_topic *first_of(const jz_redis_list *list)
{
    jz_redis_link *first = jz_redis_list_first(list);
    return first != NULL ? JZ_REDIS_HOLDER_OF(first, jz_redis_topic, place) : NULL;
}

static bool is_live(const jz_redis_topic *topic)
{
    return topic->is_wanted && jz_redis_topic_is_acknowledged(topic);
}

static void go_to_next_turn(jz_redis_topics *topics)
{
    if (topics->in_turn_before > 0 || !topics->is_waited_for)
        return;
    topics->in_turn_before = topics->in_turn;
    topics->in_turn = 0;
    topics->turn++;
    topics->is_waited_for = false;
}

/* After a change: whether its acknowledgement is to be waited for. */
static void settle_turn(jz_redis_topics *topics, jz_redis_topic *topic)
{
    bool is_pending = topics->is_connected && topic->is_wanted && topic->listed != &topics->refused && !is_live(topic);
    if (is_pending == (topic->turn != 0))
        return;
    if (is_pending) {
        topic->turn = topics->turn;
        topics->in_turn++;
        return;
    }
    if (topic->turn == topics->turn)
        topics->in_turn--;
    else
        topics->in_turn_before--;
    topic->turn = 0;
    go_to_next_turn(topics);
    if (topics->in_turn + topics->in_turn_before == 0)
        topics->is_slow = false;
}

/* After a change: counts the topic as live or not, and lets its gap be told as soon as it is. */
static void settle(jz_redis_topics *topics, jz_redis_topic *topic, bool was_live)
{
    bool is_now = is_live(topic);
    settle_turn(topics, topic);
    topics->acknowledged += (size_t)is_now - (size_t)was_live;
    bool is_listed = jz_redis_link_is_listed(&topic->to_tell);
    if (is_now && topic->owes_gap && !is_listed)
        jz_redis_list_append(&topics->to_tell, &topic->to_tell);
    else if (is_listed && !(is_now && topic->owes_gap))
        jz_redis_list_remove(&topics->to_tell, &topic->to_tell);
}

static void owe(jz_redis_topics *topics, jz_redis_topic *topic, bool owes_gap)
{
    topics->owing += (size_t)owes_gap - (size_t)topic->owes_gap;
    topic->owes_gap = owes_gap;
    settle(topics, topic, is_live(topic));
}

static void forget(jz_redis_topics *topics, jz_redis_topic *topic)
{
    put(topic, NULL);
    if (topics->found_last == topic)
        topics->found_last = NULL;
    jz_redis_table_remove(&topics->table, &topic->entry);
    discard(&topic->entry);
}

static jz_redis_topic *find(const jz_redis_topics *topics, uint64_t hash, const char *name, size_t length)
{
    return (jz_redis_topic *)jz_redis_table_find(&topics->table, hash, name, length);
}

jz_redis_topic *jz_redis_topics_find(jz_redis_topics *topics, const char *name, size_t length)
{
    /* Often messages of the same topic follow each other. */
    if (topics->found_last != NULL && jz_redis_entry_is(&topics->found_last->entry, name, length))
        return topics->found_last;
    jz_redis_topic *found = find(topics, jz_redis_table_hash(&topics->table, name, length), name, length);
    if (found != NULL)
        topics->found_last = found;
    return found;
}

static jz_redis_topic *add(jz_redis_topics *topics, uint64_t hash, const char *name, size_t length)
{
    jz_redis_topic *added = length <= SIZE_MAX - sizeof *added ? malloc(sizeof *added + length) : NULL;
    if (added == NULL)
        return NULL;
    char *copy = (char *)(added + 1);
    if (length > 0)
        memcpy(copy, name, length);
    *added = (jz_redis_topic){.entry = {.hash = hash, .name = copy, .length = length}};
    if (jz_redis_table_add(&topics->table, &added->entry))
        return added;
    free(added);
    return NULL;
}

bool jz_redis_topics_want(jz_redis_topics *topics, const char *name, size_t length)
{
    uint64_t hash = jz_redis_table_hash(&topics->table, name, length);
    jz_redis_topic *topic = find(topics, hash, name, length);
    if (topic == NULL)
        topic = add(topics, hash, name, length);
    if (topic == NULL)
        return false;
    if (topic->is_wanted)
        return true;
    topic->is_wanted = true;
    topics->wanted++;
    put(topic, topic->is_subscribed ? NULL : &topics->to_subscribe);
    settle(topics, topic, false);
    return true;
}

void jz_redis_topics_unwant(jz_redis_topics *topics, const char *name, size_t length, uint64_t now_ms)
{
    jz_redis_topic *topic = jz_redis_topics_find(topics, name, length);
    if (topic == NULL || !topic->is_wanted)
        return;
    bool was_live = is_live(topic);
    owe(topics, topic, false);
    topic->is_wanted = false;
    topics->wanted--;
    settle(topics, topic, was_live);
    if (!topic->is_subscribed && topic->unanswered == 0) {
        forget(topics, topic);
        return;
    }
    topic->ends_ms = now_ms + topics->linger_ms;
    put(topic, topic->is_subscribed ? &topics->lingering : &topics->ending);
}

size_t jz_redis_topics_next_to_subscribe(jz_redis_topics *topics, jz_redis_topic **batch, size_t most)
{
    size_t count = 0;
    for (jz_redis_topic *topic; count < most && (topic = first_of(&topics->to_subscribe)) != NULL; count++) {
        put(topic, NULL);
        topic->is_subscribed = true;
        topic->unanswered++;
        batch[count] = topic;
    }
    return count;
}

size_t jz_redis_topics_next_to_unsubscribe(jz_redis_topics *topics, uint64_t now_ms, jz_redis_topic **batch,
                                           size_t most)
{
    size_t count = 0;
    for (jz_redis_topic *topic; count < most && (topic = first_of(&topics->lingering)) != NULL; count++) {
        if (topic->ends_ms > now_ms)
            break;
        put(topic, &topics->ending);
        topic->is_subscribed = false;
        topic->unanswered++;
        jz_redis_heard_clear(&topic->heard);
        batch[count] = topic;
    }
    return count;
}

uint64_t jz_redis_topics_deadline_ms(const jz_redis_topics *topics)
{
    const jz_redis_topic *first = first_of(&topics->lingering);
    return first != NULL ? first->ends_ms : UINT64_MAX;
}

bool jz_redis_topics_answered(jz_redis_topics *topics, const char *name, size_t length)
{
    jz_redis_topic *topic = jz_redis_topics_find(topics, name, length);
    if (topic == NULL || topic->unanswered == 0)
        return false;
    topic->unanswered--;
    topic->was_refused = topic->was_refused && !jz_redis_topic_is_acknowledged(topic);
    if (topic->listed == &topics->ending && topic->unanswered == 0)
        forget(topics, topic);
    else
        settle(topics, topic, false);
    return true;
}

bool jz_redis_topics_is_to_be_asked_again(const jz_redis_topic *topic)
{
    return topic->is_subscribed && topic->unanswered == 1;
}

void jz_redis_topics_refused(jz_redis_topics *topics, jz_redis_topic *topic)
{
    topic->unanswered--;
    if (topic->unanswered > 0)
        return; /* the next answer decides */
    if (!topic->is_wanted) {
        forget(topics, topic);
        return;
    }
    topic->is_subscribed = false;
    topic->was_refused = true;
    put(topic, &topics->refused);
    owe(topics, topic, true);
}

void jz_redis_topics_retry_refused(jz_redis_topics *topics, size_t most)
{
    for (size_t i = 0; i < most && topics->refused.count > 0; i++)
        put(first_of(&topics->refused), &topics->to_subscribe); /* and nobody waits for it */
}

static void subscribe_again(void *context, jz_redis_entry *entry)
{
    jz_redis_topics *topics = context;
    jz_redis_topic *topic = (jz_redis_topic *)entry;
    bool was_live = is_live(topic);
    topic->is_subscribed = false;
    topic->unanswered = 0;
    settle(topics, topic, was_live);
    if (topic->listed == NULL || topic->listed == &topics->refused)
        put(topic, &topics->to_subscribe);
}

static void forget_all(jz_redis_topics *topics, jz_redis_list *list)
{
    for (jz_redis_topic *topic; (topic = first_of(list)) != NULL;)
        forget(topics, topic);
}

void jz_redis_topics_disconnected(jz_redis_topics *topics)
{
    topics->is_connected = topics->is_slow = false;
    forget_all(topics, &topics->lingering);
    forget_all(topics, &topics->ending);
    jz_redis_table_visit(&topics->table, subscribe_again, topics);
}

void jz_redis_topics_gap(jz_redis_topics *topics, jz_redis_topic *topic)
{
    if (topic->is_wanted)
        owe(topics, topic, true);
}

static void gap_entry(void *context, jz_redis_entry *entry)
{
    jz_redis_topics_gap(context, (jz_redis_topic *)entry);
}

void jz_redis_topics_gap_everywhere(jz_redis_topics *topics)
{
    jz_redis_table_visit(&topics->table, gap_entry, topics);
}

static void connect_entry(void *context, jz_redis_entry *entry)
{
    gap_entry(context, entry);
    settle_turn(context, (jz_redis_topic *)entry);
}

void jz_redis_topics_connected(jz_redis_topics *topics)
{
    topics->is_connected = true;
    jz_redis_table_visit(&topics->table, connect_entry, topics);
}

uint64_t jz_redis_topics_turn_of(jz_redis_topics *topics, const char *name, size_t length)
{
    if (topics->in_turn + topics->in_turn_before == 0)
        return 0;
    jz_redis_topic *topic = jz_redis_topics_find(topics, name, length);
    uint64_t turn = topic != NULL ? topic->turn : 0;
    if (turn == 0)
        return 0;
    if (topics->is_slow) {
        owe(topics, topic, true);
        return 0;
    }
    if (turn == topics->turn) {
        topics->is_waited_for = true;
        go_to_next_turn(topics);
    }
    return turn;
}

uint64_t jz_redis_topics_settled_turn(const jz_redis_topics *topics)
{
    if (topics->is_slow)
        return topics->turn;
    return topics->turn - (topics->in_turn_before > 0 ? 2 : 1);
}

static void wait_no_longer(void *context, jz_redis_entry *entry)
{
    jz_redis_topic *topic = (jz_redis_topic *)entry;
    if (topic->turn != 0)
        owe(context, topic, true);
}

void jz_redis_topics_wait_no_longer(jz_redis_topics *topics)
{
    topics->is_slow = true;
    jz_redis_table_visit(&topics->table, wait_no_longer, topics);
}

jz_redis_topic *jz_redis_topics_next_gap(jz_redis_topics *topics)
{
    jz_redis_link *first = jz_redis_list_first(&topics->to_tell);
    if (first == NULL)
        return NULL;
    jz_redis_topic *topic = JZ_REDIS_HOLDER_OF(first, jz_redis_topic, to_tell);
    owe(topics, topic, false);
    return topic;
}

jz_redis_topic_counts jz_redis_topics_counts(const jz_redis_topics *topics)
{
    return (jz_redis_topic_counts){
        .kept = topics->table.count,
        .wanted = topics->wanted,
        .acknowledged = topics->acknowledged,
        .refused = topics->refused.count,
        .to_subscribe = topics->to_subscribe.count,
        .lingering = topics->lingering.count,
        .gaps = topics->owing,
    };
}
