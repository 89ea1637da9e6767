#include "pubsub/traffic.h"

#include <string.h>

#include "pubsub/topics.h"

void jz_traffic_init(jz_traffic *traffic)
{
    *traffic = (jz_traffic){.period = 1};
    pthread_mutex_init(&traffic->lock, NULL);
}

void jz_traffic_destroy(jz_traffic *traffic)
{
    pthread_mutex_destroy(&traffic->lock);
}

/* Every publication and every delivery is work. */
static uint64_t amount(const jz_topic *topic)
{
    return (uint64_t)topic->traffic.publications + topic->traffic.deliveries;
}

static void place(jz_traffic *traffic, jz_topic *topic, uint32_t place)
{
    traffic->busiest[place - 1] = topic;
    topic->traffic.place = place;
}

/* Makes the topic one of the busiest, if it is. */
static void rank(jz_traffic *traffic, jz_topic *topic)
{
    if (traffic->count < JZ_MOST_LOOKED_AT) {
        place(traffic, topic, ++traffic->count);
        return;
    }
    uint64_t own = amount(topic);
    if (own <= traffic->least)
        return;
    jz_topic *last = traffic->busiest[0];
    for (uint32_t i = 1; i < JZ_MOST_LOOKED_AT; i++) {
        if (amount(traffic->busiest[i]) < amount(last))
            last = traffic->busiest[i];
    }
    traffic->least = amount(last);
    if (own <= traffic->least)
        return;
    place(traffic, topic, last->traffic.place);
    last->traffic.place = 0;
}

/* What was counted so far is of no period any more. 0 is none. */
static void begin_period(jz_traffic *traffic)
{
    traffic->period += traffic->period == UINT32_MAX ? 2 : 1;
    traffic->count = 0;
    traffic->least = 0;
}

void jz_traffic_note(jz_traffic *traffic, jz_topic *topic, size_t deliveries, size_t bytes, uint64_t now_ms)
{
    pthread_mutex_lock(&traffic->lock);
    if (now_ms >= traffic->ends_ms) {
        atomic_store_explicit(&traffic->is_counted, false, memory_order_relaxed);
        begin_period(traffic);
    } else {
        jz_topic_traffic *own = &topic->traffic;
        if (own->period != traffic->period)
            *own = (jz_topic_traffic){.period = traffic->period};
        own->publications++;
        own->deliveries += (uint32_t)deliveries;
        own->bytes += bytes;
        if (own->place == 0)
            rank(traffic, topic);
    }
    pthread_mutex_unlock(&traffic->lock);
}

void jz_traffic_forget(jz_traffic *traffic, jz_topic *topic)
{
    /* While nothing is counted, no topic is among the busiest, and only this thread adds one. */
    if (!atomic_load_explicit(&traffic->is_counted, memory_order_relaxed))
        return;
    pthread_mutex_lock(&traffic->lock);
    const jz_topic_traffic *own = &topic->traffic;
    if (own->period == traffic->period && own->place != 0) {
        place(traffic, traffic->busiest[traffic->count - 1], own->place);
        traffic->count--;
        traffic->least = 0;
    }
    pthread_mutex_unlock(&traffic->lock);
}

static void look_at(const jz_topic *topic, jz_topic_look *look)
{
    look->is_cut = topic->name_length >= sizeof look->name;
    look->name_length = look->is_cut ? sizeof look->name - 1 : topic->name_length;
    memcpy(look->name, topic->name, look->name_length);
    look->name[look->name_length] = '\0';
    look->publications = topic->traffic.publications;
    look->deliveries = topic->traffic.deliveries;
    look->bytes = topic->traffic.bytes;
    look->subscribers = topic->count;
}

size_t jz_traffic_take(jz_traffic *traffic, uint64_t now_ms, const jz_siphash_key *key,
                       jz_busy_topic topics[JZ_MOST_LOOKED_AT])
{
    pthread_mutex_lock(&traffic->lock);
    size_t count = traffic->count;
    for (size_t i = 0; i < count; i++) {
        const jz_topic *topic = traffic->busiest[i];
        topics[i].name_hash = jz_siphash(key, topic->name, topic->name_length);
        look_at(topic, &topics[i].look);
    }
    begin_period(traffic);
    traffic->ends_ms = now_ms + JZ_TRAFFIC_LASTS_MS;
    atomic_store_explicit(&traffic->is_counted, true, memory_order_relaxed);
    pthread_mutex_unlock(&traffic->lock);
    return count;
}
