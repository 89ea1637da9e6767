/* The public functions that say who has subscribed to a topic. */
#include "shard/server.h"

size_t jz_server_subscriber_count(jz_server *server, const char *topic, size_t topic_length)
{
    return jz_server_subscribers(server, topic, topic_length, NULL, 0);
}

/*
 * Copies handles while the lock is held: a subscriber's slot and generation may not be read after that, when another
 * connection may have its slot.
 */
static size_t copy_subscribers(jz_shard *shard, jz_text topic, jz_ws *connections, size_t room)
{
    pthread_mutex_lock(&shard->topics.lock);
    const jz_topic *found = jz_topics_find(&shard->topics, topic);
    size_t count = found != NULL ? found->count : 0;
    for (size_t i = 0; i < count && i < room; i++)
        connections[i] = jz_shard_handle_of(shard, found->subscribers[i].connection);
    pthread_mutex_unlock(&shard->topics.lock);
    return count;
}

size_t jz_server_subscribers(jz_server *server, const char *topic, size_t topic_length, jz_ws *connections,
                             size_t capacity)
{
    size_t count = 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        size_t room = count < capacity ? capacity - count : 0;
        count += copy_subscribers(&server->shards[i], (jz_text){topic, topic_length},
                                  room > 0 ? connections + count : NULL, room);
    }
    return count;
}
