#define _POSIX_C_SOURCE 200809L

#include "joining_broker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testing.h"

static size_t number_of(const joining_member *member)
{
    return (size_t)(member - member->broker->members);
}

/* The rest are under the lock, unless it is said otherwise. */

static void note(joining_broker *broker, bool is_right)
{
    broker->errors += is_right ? 0 : 1;
}

static joining_letter *take_first(joining_member *to, size_t from)
{
    joining_letter *letter = to->first[from];
    to->first[from] = letter->next;
    if (to->first[from] == NULL)
        to->last[from] = NULL;
    to->broker->waiting--;
    return letter;
}

static void forget_letters(joining_member *to)
{
    for (size_t from = 0; from < JOINED_SERVERS; from++) {
        while (to->first[from] != NULL)
            free(take_first(to, from));
    }
}

static void put(joining_member *to, size_t from, joining_letter *letter)
{
    letter->next = NULL;
    if (to->last[from] != NULL)
        to->last[from]->next = letter;
    else
        to->first[from] = letter;
    to->last[from] = letter;
    to->broker->waiting++;
}

/* Functions that the servers call, without the lock. */

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    joining_member *member = context;
    (void)error;
    pthread_mutex_lock(&member->broker->lock);
    note(member->broker, member->server == NULL);
    member->server = server;
    member->is_reached = member->is_known = true;
    pthread_mutex_unlock(&member->broker->lock);
    return JZ_OK;
}

static void stop(void *context)
{
    joining_member *member = context;
    joining_broker *broker = member->broker;
    pthread_mutex_lock(&broker->lock);
    while (member->is_told)
        pthread_cond_wait(&broker->has_changed, &broker->lock);
    note(broker, member->server != NULL);
    member->server = NULL;
    forget_letters(member);
    pthread_mutex_unlock(&broker->lock);
}

/* While it is told of all topics, there may be calls for topics that change meanwhile. */
static bool is_exact(const joining_member *member)
{
    return member->is_known == member->is_reached;
}

static void subscribe(void *context, const char *topic, size_t length)
{
    joining_member *member = context;
    pthread_mutex_lock(&member->broker->lock);
    note(member->broker, member->server != NULL);
    if (member->is_reached)
        note(member->broker, topic_set_add(&member->topics, topic, length) || !is_exact(member));
    pthread_mutex_unlock(&member->broker->lock);
}

static void unsubscribe(void *context, const char *topic, size_t length)
{
    joining_member *member = context;
    pthread_mutex_lock(&member->broker->lock);
    note(member->broker, member->server != NULL);
    if (member->is_reached)
        note(member->broker, topic_set_remove(&member->topics, topic, length) || !is_exact(member));
    pthread_mutex_unlock(&member->broker->lock);
}

static joining_letter *copy(const char *topic, size_t topic_length, jz_message_kind kind, const void *bytes,
                            size_t length)
{
    joining_letter *letter = malloc(sizeof *letter + topic_length + length);
    if (letter == NULL)
        abort();
    *letter = (joining_letter){.kind = kind, .topic_length = topic_length, .length = length};
    if (topic_length > 0)
        memcpy(letter->bytes, topic, topic_length);
    if (length > 0)
        memcpy(letter->bytes + topic_length, bytes, length);
    return letter;
}

static jz_send_status publish(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    joining_member *member = context;
    joining_broker *broker = member->broker;
    pthread_mutex_lock(&broker->lock);
    note(broker, member->server != NULL && kind <= JZ_MESSAGE_BINARY);
    for (size_t i = 0; i < JOINED_SERVERS && member->is_reached; i++) {
        joining_member *other = &broker->members[i];
        if ((other != member || broker->is_ordered) && other->server != NULL && other->is_reached)
            put(other, number_of(member), copy(topic, topic_length, kind, bytes, length));
    }
    jz_send_status status = member->is_reached ? JZ_SEND_QUEUED : JZ_SEND_DROPPED;
    pthread_mutex_unlock(&broker->lock);
    return status;
}

/* Only for what no connection has published. */
static jz_send_status publish_except(void *context, jz_ws except, const char *topic, size_t topic_length,
                                     jz_message_kind kind, const void *bytes, size_t length)
{
    joining_member *member = context;
    pthread_mutex_lock(&member->broker->lock);
    note(member->broker, except.value == 0);
    pthread_mutex_unlock(&member->broker->lock);
    return publish(context, topic, topic_length, kind, bytes, length);
}

/* Only this wakes the thread for what was published: without it messages would stay. */
static void flush(void *context)
{
    joining_member *member = context;
    pthread_mutex_lock(&member->broker->lock);
    note(member->broker, member->server != NULL);
    pthread_cond_broadcast(&member->broker->has_changed);
    pthread_mutex_unlock(&member->broker->lock);
}

/* What its thread does. */

static void let_a_moment_pass(joining_broker *broker)
{
    const struct timespec moment = {.tv_nsec = (long)test_random_below(&broker->random, 200000)};
    pthread_mutex_unlock(&broker->lock);
    nanosleep(&moment, NULL);
    pthread_mutex_lock(&broker->lock);
}

/* False: no server has to be told that it was lost or found. */
static bool tell_one(joining_broker *broker)
{
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        joining_member *member = &broker->members[i];
        if (member->server == NULL || is_exact(member))
            continue;
        jz_server *server = member->server;
        bool is_reached = member->is_reached;
        member->is_told = true;
        pthread_mutex_unlock(&broker->lock);
        jz_broker_set_joined(server, is_reached);
        pthread_mutex_lock(&broker->lock);
        member->is_told = false;
        member->is_known = is_reached;
        pthread_cond_broadcast(&broker->has_changed);
        return true;
    }
    return false;
}

/* Any server for which messages wait, and any sender of them. */
static joining_member *choose(joining_broker *broker, size_t *from)
{
    size_t place = test_random_below(&broker->random, JOINED_SERVERS * JOINED_SERVERS);
    for (;; place = (place + 1) % (JOINED_SERVERS * JOINED_SERVERS)) {
        joining_member *to = &broker->members[place / JOINED_SERVERS];
        *from = place % JOINED_SERVERS;
        if (to->first[*from] != NULL)
            return to;
    }
}

/* False: nothing waits. Delivers with the lock held, because delivering never blocks. */
static bool deliver_one(joining_broker *broker)
{
    if (broker->waiting == 0)
        return false;
    if (test_random_below(&broker->random, 50) == 0) {
        let_a_moment_pass(broker);
        return true;
    }
    size_t from;
    joining_member *to = choose(broker, &from);
    joining_letter *letter = to->first[from];
    const char *payload = letter->bytes + letter->topic_length;
    if (test_random_below(&broker->random, 1000) < broker->losses_in_thousand) {
        broker->lost++;
    } else if (topic_set_has(&to->topics, letter->bytes, letter->topic_length)) {
        jz_send_status status =
            jz_broker_deliver(to->server, letter->bytes, letter->topic_length, letter->kind, payload, letter->length);
        if (status == JZ_SEND_DROPPED) {
            let_a_moment_pass(broker);
            return true;
        }
        to->delivered[from] += status == JZ_SEND_SENT ? 1 : 0;
    }
    free(take_first(to, from));
    return true;
}

static void *run(void *context)
{
    joining_broker *broker = context;
    pthread_mutex_lock(&broker->lock);
    while (!broker->is_ending) {
        if (!tell_one(broker) && !deliver_one(broker))
            pthread_cond_wait(&broker->has_changed, &broker->lock);
    }
    pthread_mutex_unlock(&broker->lock);
    return NULL;
}

/* For the tests. */

void joining_broker_start(joining_broker *broker, uint64_t seed, unsigned losses_in_thousand)
{
    *broker = (joining_broker){.random = {seed}, .losses_in_thousand = losses_in_thousand};
    pthread_mutex_init(&broker->lock, NULL);
    pthread_cond_init(&broker->has_changed, NULL);
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        broker->members[i].broker = broker;
        topic_set_init(&broker->members[i].topics);
    }
    assert_int_equal(pthread_create(&broker->thread, NULL, run, broker), 0);
}

void joining_broker_finish(joining_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    broker->is_ending = true;
    pthread_cond_broadcast(&broker->has_changed);
    pthread_mutex_unlock(&broker->lock);
    pthread_join(broker->thread, NULL);
    assert_int_equal(broker->errors, 0);
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        assert_null(broker->members[i].server);
        assert_int_equal(broker->members[i].topics.table.count, 0);
        topic_set_clear(&broker->members[i].topics);
    }
    pthread_cond_destroy(&broker->has_changed);
    pthread_mutex_destroy(&broker->lock);
}

jz_broker joining_broker_for(joining_broker *broker, size_t number)
{
    return (jz_broker){.context = &broker->members[number],
                       .start = start,
                       .stop = stop,
                       .subscribe = subscribe,
                       .unsubscribe = unsubscribe,
                       .publish = publish,
                       .publish_except = broker->is_ordered ? publish_except : NULL,
                       .is_ordered = broker->is_ordered,
                       .flush = flush};
}

void joining_broker_reach(joining_broker *broker, size_t number, bool is_reached)
{
    joining_member *member = &broker->members[number];
    pthread_mutex_lock(&broker->lock);
    while (!is_exact(member) || member->is_told)
        pthread_cond_wait(&broker->has_changed, &broker->lock);
    member->is_reached = is_reached;
    topic_set_clear(&member->topics);
    forget_letters(member);
    pthread_cond_broadcast(&broker->has_changed);
    pthread_mutex_unlock(&broker->lock);
}

bool joining_broker_is_idle(joining_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    bool is_idle = broker->waiting == 0;
    pthread_mutex_unlock(&broker->lock);
    return is_idle;
}

size_t joining_broker_topic_count(joining_broker *broker, size_t number)
{
    pthread_mutex_lock(&broker->lock);
    size_t count = broker->members[number].topics.table.count;
    pthread_mutex_unlock(&broker->lock);
    return count;
}

bool joining_broker_has_topic(joining_broker *broker, size_t number, const char *topic, size_t length)
{
    pthread_mutex_lock(&broker->lock);
    bool has = topic_set_has(&broker->members[number].topics, topic, length);
    pthread_mutex_unlock(&broker->lock);
    return has;
}

size_t joining_broker_delivered(joining_broker *broker, size_t from, size_t to)
{
    pthread_mutex_lock(&broker->lock);
    size_t delivered = broker->members[to].delivered[from];
    pthread_mutex_unlock(&broker->lock);
    return delivered;
}
