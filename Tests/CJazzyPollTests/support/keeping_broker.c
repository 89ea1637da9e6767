#define _POSIX_C_SOURCE 200809L

#include "keeping_broker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testing.h"

#define TOPIC "feed/7", 6

size_t keeping_fill(uint8_t bytes[KEEPING_MOST_LENGTH], keeping_stamp stamp)
{
    test_random random = {(uint64_t)stamp.publisher << 32 | stamp.number};
    size_t most = test_random_below(&random, 4) == 0 ? KEEPING_MOST_PADDING : 60;
    size_t length = sizeof stamp + test_random_below(&random, most);
    memset(bytes, (int)(stamp.number & 0x7F), length);
    memcpy(bytes, &stamp, sizeof stamp);
    return length;
}

/* The rest are under the lock, unless it is said otherwise. */

static bool happens(keeping_broker *broker, size_t one_in)
{
    return !broker->is_calm && test_random_below(&broker->random, one_in) == 0;
}

static void put(keeping_member *to, keeping_item item)
{
    keeping_item *added = malloc(sizeof *added);
    if (added == NULL)
        abort();
    *added = item;
    added->next = NULL;
    *to->end = added;
    to->end = &added->next;
}

static keeping_item take_first(keeping_member *to)
{
    keeping_item *first = to->first;
    keeping_item item = *first;
    to->first = first->next;
    if (to->first == NULL)
        to->end = &to->first;
    free(first);
    return item;
}

static keeping_item exchange_first(keeping_member *to, keeping_item item)
{
    keeping_item *first = to->first;
    keeping_item taken = *first;
    item.next = first->next;
    *first = item;
    return taken;
}

static void begin_epoch(keeping_broker *broker)
{
    if (broker->epoch + 1 == KEEPING_EPOCHS)
        return;
    broker->epoch++;
    broker->epochs[broker->epoch] = test_random_next(&broker->random) | 1;
    broker->stamps[broker->epoch] = calloc(KEEPING_MOST + 1, sizeof(keeping_stamp));
    if (broker->stamps[broker->epoch] == NULL)
        abort();
}

/* Functions that the servers call, without the lock. */

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    keeping_member *member = context;
    (void)error;
    pthread_mutex_lock(&member->broker->lock);
    member->server = server;
    member->is_reached = member->is_known = true;
    pthread_mutex_unlock(&member->broker->lock);
    return JZ_OK;
}

static void stop(void *context)
{
    keeping_member *member = context;
    keeping_broker *broker = member->broker;
    pthread_mutex_lock(&broker->lock);
    while (member->is_told)
        pthread_cond_wait(&broker->has_changed, &broker->lock);
    member->server = NULL;
    while (member->first != NULL)
        take_first(member);
    pthread_mutex_unlock(&broker->lock);
}

/* What is on its way when a topic is unsubscribed does not come when it is subscribed again: the rest is missing. */
static void drop_messages(keeping_member *member)
{
    keeping_item *items = member->first;
    member->first = NULL;
    member->end = &member->first;
    while (items != NULL) {
        keeping_item *item = items;
        items = item->next;
        if (item->number != 0)
            put(member, *item);
        free(item);
    }
}

static void set_subscribed(void *context, bool is_subscribed)
{
    keeping_member *member = context;
    pthread_mutex_lock(&member->broker->lock);
    if (member->is_reached || !is_subscribed)
        member->is_subscribed = is_subscribed;
    if (!is_subscribed)
        drop_messages(member);
    pthread_cond_broadcast(&member->broker->has_changed);
    pthread_mutex_unlock(&member->broker->lock);
}

static void subscribe(void *context, const char *topic, size_t length)
{
    (void)topic;
    (void)length;
    set_subscribed(context, true);
}

static void unsubscribe(void *context, const char *topic, size_t length)
{
    (void)topic;
    (void)length;
    set_subscribed(context, false);
}

static jz_send_status publish_kept(void *context, jz_ws except, const char *topic, size_t topic_length,
                                   const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                   size_t length)
{
    keeping_member *member = context;
    keeping_broker *broker = member->broker;
    keeping_stamp stamp;
    (void)topic;
    (void)topic_length;
    (void)kind;
    pthread_mutex_lock(&broker->lock);
    bool is_taken = member->is_reached && !happens(broker, 200) && history->keep == broker->keep &&
                    length >= sizeof stamp && broker->newest[broker->epoch] < KEEPING_MOST;
    if (is_taken) {
        if (happens(broker, 500)) {
            begin_epoch(broker);
            broker->renewals++;
        }
        uint64_t offset = ++broker->newest[broker->epoch];
        memcpy(&stamp, bytes, sizeof stamp);
        broker->stamps[broker->epoch][offset] = stamp;
        for (size_t i = 0; i < KEEPING_SERVERS; i++) {
            keeping_member *to = &broker->members[i];
            if (to->is_reached && to->is_subscribed)
                put(to, (keeping_item){
                            .except = to == member ? except : (jz_ws){0}, .epoch = broker->epoch, .offset = offset});
        }
        pthread_cond_broadcast(&broker->has_changed);
    }
    pthread_mutex_unlock(&broker->lock);
    return is_taken ? JZ_SEND_QUEUED : JZ_SEND_DROPPED;
}

static jz_send_status publish(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    (void)context;
    (void)topic;
    (void)topic_length;
    (void)kind;
    (void)bytes;
    (void)length;
    abort(); /* everything is published to a topic with history */
}

static bool fetch(void *context, const char *topic, size_t topic_length, const jz_history_options *history,
                  uint64_t number)
{
    keeping_member *member = context;
    keeping_broker *broker = member->broker;
    (void)topic;
    (void)topic_length;
    (void)history;
    pthread_mutex_lock(&broker->lock);
    bool is_taken = !happens(broker, 20);
    if (is_taken)
        member->asked = number;
    broker->questions++;
    pthread_cond_broadcast(&broker->has_changed);
    pthread_mutex_unlock(&broker->lock);
    return is_taken;
}

/* What its thread does. */

static void let_a_moment_pass(keeping_broker *broker)
{
    const struct timespec moment = {.tv_nsec = (long)test_random_below(&broker->random, 300000)};
    pthread_mutex_unlock(&broker->lock);
    nanosleep(&moment, NULL);
    pthread_mutex_lock(&broker->lock);
}

/* The server is not stopped meanwhile. */
static jz_server *leave_for(keeping_member *member)
{
    jz_server *server = member->server;
    member->is_told = true;
    pthread_mutex_unlock(&member->broker->lock);
    return server;
}

static void come_back(keeping_member *member)
{
    pthread_mutex_lock(&member->broker->lock);
    member->is_told = false;
    pthread_cond_broadcast(&member->broker->has_changed);
}

static void lose(keeping_member *member)
{
    member->broker->losses++;
    member->is_reached = member->is_subscribed = false;
    while (member->first != NULL) {
        keeping_item item = take_first(member);
        if (item.number != 0)
            member->asked = item.number; /* it is asked again, when the server is back */
    }
}

static void tell(keeping_member *member, bool is_joined)
{
    if (is_joined)
        member->is_reached = true; /* it is subscribed to what it is told of */
    jz_server *server = leave_for(member);
    jz_broker_set_joined(server, is_joined);
    come_back(member);
    member->is_known = is_joined;
}

/* The question reaches the place where the history is kept: now is the moment of the answer. */
static void ask(keeping_member *member)
{
    keeping_broker *broker = member->broker;
    put(member,
        (keeping_item){.number = member->asked, .epoch = broker->epoch, .offset = broker->newest[broker->epoch]});
    member->asked = 0;
}

static void answer(keeping_member *member, keeping_item item)
{
    keeping_broker *broker = member->broker;
    static uint8_t bytes[2048][KEEPING_MOST_LENGTH];
    static jz_broker_kept_message messages[2048];
    size_t count = item.offset < broker->keep ? (size_t)item.offset : broker->keep;
    if (happens(broker, 4))
        count = test_random_below(&broker->random, count + 1); /* less is kept than was asked for */
    for (size_t i = 0; i < count; i++) {
        keeping_stamp stamp = broker->stamps[item.epoch][item.offset - count + 1 + i];
        messages[i] = (jz_broker_kept_message){
            .kind = JZ_MESSAGE_BINARY, .bytes = bytes[i], .length = keeping_fill(bytes[i], stamp)};
    }
    const jz_broker_kept kept = {.is_failed = happens(broker, 20),
                                 .newest = {broker->epochs[item.epoch], item.offset},
                                 .count = count,
                                 .messages = messages};
    jz_server *server = leave_for(member);
    jz_broker_fetched(server, TOPIC, item.number, &kept);
    come_back(member);
}

static void deliver(keeping_member *member, keeping_item item)
{
    keeping_broker *broker = member->broker;
    uint8_t bytes[KEEPING_MOST_LENGTH];
    size_t length = keeping_fill(bytes, broker->stamps[item.epoch][item.offset]);
    const jz_position position = {broker->epochs[item.epoch], item.offset};
    bool is_lost = happens(broker, 250);
    bool is_noticed = is_lost && happens(broker, 2);
    size_t times = happens(broker, 100) ? 2 : 1;
    jz_server *server = leave_for(member);
    if (is_noticed)
        jz_broker_missed(server, TOPIC);
    for (size_t i = 0; i < times && !is_lost; i++)
        jz_broker_deliver_kept(server, NULL, item.except, TOPIC, JZ_MESSAGE_BINARY, bytes, length, position);
    come_back(member);
    broker->lost += is_lost ? 1 : 0;
}

/* False: there is nothing to do for this server. */
static bool serve(keeping_member *member)
{
    keeping_broker *broker = member->broker;
    if (member->server == NULL)
        return false;
    if (!member->is_reached && member->is_known) {
        tell(member, false);
    } else if (!member->is_reached) {
        tell(member, true);
    } else if (member->asked != 0 && member->is_subscribed) {
        ask(member);
    } else if (member->first != NULL) {
        keeping_item item = take_first(member);
        if (item.number != 0 && member->first != NULL && happens(broker, 2))
            item = exchange_first(member, item); /* the answer comes later */
        if (item.number != 0)
            answer(member, item);
        else
            deliver(member, item);
        if (happens(broker, 600))
            lose(member);
    } else {
        return false;
    }
    return true;
}

static void *run(void *context)
{
    keeping_broker *broker = context;
    pthread_mutex_lock(&broker->lock);
    while (!broker->is_ending) {
        size_t first = test_random_below(&broker->random, KEEPING_SERVERS);
        bool is_busy = false;
        for (size_t i = 0; i < KEEPING_SERVERS; i++)
            is_busy |= serve(&broker->members[(first + i) % KEEPING_SERVERS]);
        if (happens(broker, 30))
            let_a_moment_pass(broker);
        else if (!is_busy && !broker->is_ending)
            pthread_cond_wait(&broker->has_changed, &broker->lock);
    }
    pthread_mutex_unlock(&broker->lock);
    return NULL;
}

/* For the tests. */

void keeping_broker_start(keeping_broker *broker, uint64_t seed, size_t keep)
{
    *broker = (keeping_broker){.random = {seed}, .keep = keep, .epoch = SIZE_MAX};
    pthread_mutex_init(&broker->lock, NULL);
    pthread_cond_init(&broker->has_changed, NULL);
    begin_epoch(broker);
    for (size_t i = 0; i < KEEPING_SERVERS; i++) {
        broker->members[i].broker = broker;
        broker->members[i].end = &broker->members[i].first;
    }
    assert_int_equal(pthread_create(&broker->thread, NULL, run, broker), 0);
}

jz_broker keeping_broker_for(keeping_broker *broker, size_t number)
{
    return (jz_broker){.context = &broker->members[number],
                       .start = start,
                       .stop = stop,
                       .subscribe = subscribe,
                       .unsubscribe = unsubscribe,
                       .publish = publish,
                       .publish_kept = publish_kept,
                       .fetch = fetch};
}

void keeping_broker_calm_down(keeping_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    broker->is_calm = true;
    pthread_cond_broadcast(&broker->has_changed);
    for (size_t i = 0; i < KEEPING_SERVERS; i++) {
        while (!broker->members[i].is_known || !broker->members[i].is_reached)
            pthread_cond_wait(&broker->has_changed, &broker->lock);
    }
    pthread_mutex_unlock(&broker->lock);
}

void keeping_broker_finish(keeping_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    broker->is_ending = true;
    pthread_cond_broadcast(&broker->has_changed);
    pthread_mutex_unlock(&broker->lock);
    pthread_join(broker->thread, NULL);
    for (size_t i = 0; i <= broker->epoch; i++)
        free(broker->stamps[i]);
    pthread_cond_destroy(&broker->has_changed);
    pthread_mutex_destroy(&broker->lock);
}

jz_position keeping_broker_end(keeping_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    jz_position end = {broker->epochs[broker->epoch], broker->newest[broker->epoch]};
    pthread_mutex_unlock(&broker->lock);
    return end;
}

bool keeping_broker_at(keeping_broker *broker, jz_position position, keeping_stamp *stamp)
{
    bool is_there = false;
    pthread_mutex_lock(&broker->lock);
    for (size_t i = 0; i <= broker->epoch && !is_there; i++) {
        is_there = broker->epochs[i] == position.epoch && position.offset > 0 && position.offset <= broker->newest[i];
        if (is_there)
            *stamp = broker->stamps[i][position.offset];
    }
    pthread_mutex_unlock(&broker->lock);
    return is_there;
}
