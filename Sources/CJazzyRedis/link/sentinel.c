/*
 * What Sentinels say: where the master is, which other Sentinels there are, and, while one is listened to, that the
 * master is another one.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "link/clock.h"
#include "link/link.h"

enum { LONGEST_PORT = 65535 };

static bool is_known(const jz_redis *redis, const char *host, uint16_t port)
{
    for (size_t i = 0; i < redis->sentinels.count; i++) {
        const jz_redis_host *known = &redis->sentinels.known[i].host;
        if (known->port == port && strcasecmp(known->name, host) == 0)
            return true;
    }
    return false;
}

static bool on_step(void *context, jz_redis_step step, const redisReply *reply);
static bool on_reply(void *context);
static void on_message(void *context, const char *channel, size_t channel_length, const char *payload, size_t length);

static void init_peer(jz_redis_sentinel *sentinel)
{
    jz_redis_peer *peer = &sentinel->peer;
    jz_redis_peer_init(peer, &sentinel->redis->settings, "Sentinel's", sentinel->redis->origin + 1);
    peer->on_step = on_step;
    peer->on_reply = on_reply;
    peer->context = sentinel;
    peer->replies = (jz_redis_replies){.on_message = on_message, .context = sentinel};
}

/* Without memory, or room, there is one less to ask. */
static void learn(jz_redis *redis, const char *host, uint16_t port)
{
    if (redis->sentinels.count == JZ_REDIS_MOST_SENTINELS || strlen(host) >= JZ_REDIS_HOST_SIZE || port == 0 ||
        is_known(redis, host, port))
        return;
    size_t size = strlen(host) + 1;
    char *name = malloc(size);
    if (name == NULL)
        return;
    memcpy(name, host, size);
    jz_redis_sentinel *learned = &redis->sentinels.known[redis->sentinels.count++];
    *learned = (jz_redis_sentinel){.redis = redis, .host = {.name = name, .port = port}};
    init_peer(learned);
}

static uint16_t port_of(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    return end != text && *end == '\0' && port <= LONGEST_PORT ? (uint16_t)port : 0;
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

/* One Sentinel: names and values in turn. */
static void learn_one(jz_redis *redis, const redisReply *reply)
{
    const char *host = NULL;
    uint16_t port = 0;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i];
        const redisReply *value = reply->element[i + 1];
        if (!is_text(name) || !is_text(value))
            continue;
        if (strcmp(name->str, "ip") == 0)
            host = value->str;
        else if (strcmp(name->str, "port") == 0)
            port = port_of(value->str);
    }
    if (host != NULL)
        learn(redis, host, port);
}

static void lose_if_elsewhere(jz_redis *redis, jz_redis_peer *peer)
{
    bool is_there = peer->target.port == redis->found.port && strcasecmp(peer->target.host, redis->found.host) == 0;
    if (is_there || peer->phase == JZ_REDIS_RESTS)
        return;
    jz_redis_wire_fail(&peer->wire, "the master is %.100s:%u now", redis->found.host, redis->found.port);
    jz_redis_lose(redis, peer, true);
}

static void take_master(jz_redis *redis, const char *host, uint16_t port)
{
    jz_redis_found *found = &redis->found;
    snprintf(found->host, sizeof found->host, "%s", host);
    found->port = port;
    found->asked_ms = jz_redis_now_ms();
    redis->has_moved = true;
}

static bool on_step(void *context, jz_redis_step step, const redisReply *reply)
{
    jz_redis_sentinel *sentinel = context;
    jz_redis *redis = sentinel->redis;
    jz_redis_wire *wire = &sentinel->peer.wire;
    if (step == JZ_REDIS_SENTINELS) {
        for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
            learn_one(redis, reply->element[i]);
        return true;
    }
    if (step != JZ_REDIS_MASTER)
        return true;
    if (reply->type == REDIS_REPLY_NIL)
        return jz_redis_wire_fail(wire, "it knows no master named %.60s", redis->settings.url.master);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !is_text(reply->element[0]) ||
        !is_text(reply->element[1]) || reply->element[0]->len >= JZ_REDIS_HOST_SIZE ||
        port_of(reply->element[1]->str) == 0)
        return jz_redis_wire_fail(wire, "what it says of the master is not understood");
    take_master(redis, reply->element[0]->str, port_of(reply->element[1]->str));
    return true;
}

static bool on_reply(void *context)
{
    jz_redis_peer *peer = &((jz_redis_sentinel *)context)->peer;
    return peer->replies.type != REDIS_REPLY_ERROR || jz_redis_wire_fail(&peer->wire, "%.120s", peer->replies.refusal);
}

/* "NAME OLD-HOST OLD-PORT NEW-HOST NEW-PORT", on +switch-master. */
static void on_message(void *context, const char *channel, size_t channel_length, const char *payload, size_t length)
{
    jz_redis *redis = ((jz_redis_sentinel *)context)->redis;
    char text[2 * JZ_REDIS_HOST_SIZE + 128];
    char host[JZ_REDIS_HOST_SIZE];
    char port[8];
    size_t name_length = strlen(redis->settings.url.master);
    (void)channel;
    (void)channel_length;
    if (length >= sizeof text || length <= name_length || payload[name_length] != ' ' ||
        memcmp(payload, redis->settings.url.master, name_length) != 0)
        return;
    memcpy(text, payload + name_length, length - name_length);
    text[length - name_length] = '\0';
    if (sscanf(text, " %*s %*s %255s %7s", host, port) == 2 && port_of(port) != 0)
        take_master(redis, host, port_of(port));
}

void jz_redis_sentinel_settle(jz_redis *redis)
{
    if (!redis->has_moved)
        return;
    redis->has_moved = false;
    lose_if_elsewhere(redis, &redis->publisher);
    lose_if_elsewhere(redis, &redis->subscriber);
}

bool jz_redis_sentinel_init(jz_redis *redis)
{
    const jz_redis_url *url = &redis->settings.url;
    jz_redis_sentinel *known = redis->sentinels.known;
    size_t count = redis->sentinels.count;
    redis->found = (jz_redis_found){0};
    redis->sentinels = (jz_redis_sentinels){.known = known, .count = count, .backoff.random = (redis->origin + 1) | 1};
    for (size_t i = 0; i < count; i++)
        init_peer(&known[i]);
    if (url->where != JZ_REDIS_AT_SENTINEL || known != NULL)
        return true;
    redis->sentinels.known = calloc(JZ_REDIS_MOST_SENTINELS, sizeof *known);
    for (size_t i = 0; redis->sentinels.known != NULL && i < url->host_count; i++)
        learn(redis, url->hosts[i].name, url->hosts[i].port);
    return redis->sentinels.count > 0;
}

void jz_redis_sentinel_free(jz_redis *redis)
{
    for (size_t i = 0; i < redis->sentinels.count; i++)
        free(redis->sentinels.known[i].host.name);
    free(redis->sentinels.known);
    redis->sentinels = (jz_redis_sentinels){0};
}

static void aim(jz_redis_target *target, const char *host, uint16_t port)
{
    target->path = NULL;
    target->port = port;
    snprintf(target->host, sizeof target->host, "%s", host);
}

bool jz_redis_sentinel_has_told(const jz_redis *redis, const jz_redis_peer *peer)
{
    return redis->found.port != 0 && redis->found.asked_ms >= peer->lost_ms;
}

bool jz_redis_find_target(jz_redis *redis, jz_redis_peer *peer, uint64_t now_ms)
{
    const jz_redis_url *url = &redis->settings.url;
    if (url->where == JZ_REDIS_AT_PATH) {
        peer->target.path = url->path;
    } else if (url->where == JZ_REDIS_AT_HOST) {
        aim(&peer->target, url->hosts[0].name, url->hosts[0].port);
    } else if (jz_redis_sentinel_has_told(redis, peer)) {
        aim(&peer->target, redis->found.host, redis->found.port);
    } else {
        jz_redis_sentinels_ask(&redis->sentinels, now_ms);
        return false;
    }
    return true;
}
