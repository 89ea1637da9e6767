#define _POSIX_C_SOURCE 200809L

#include "link/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { STEADY_MS = 1000 /* who was ready for so long begins with short pauses again */ };

/* Messages are handed on by `replies`, and of the others there is only what that notes. */
static bool take_replies(void *context, const char *bytes, size_t length, size_t *taken, size_t *size)
{
    jz_redis_peer *peer = context;
    *taken = 0;
    while (peer->phase == JZ_REDIS_READY && *taken < length) {
        *size = jz_redis_replies_take(&peer->replies, bytes + *taken, length - *taken);
        if (*size == 0 || *size > length - *taken)
            return true;
        *taken += *size;
        *size = 0;
        if (peer->replies.type == REDIS_REPLY_INTEGER && !peer->on_reply(peer->context))
            return false;
    }
    return true;
}

void jz_redis_peer_init(jz_redis_peer *peer, const jz_redis_settings *settings, const char *name, uint64_t seed)
{
    *peer = (jz_redis_peer){.settings = settings, .name = name, .backoff.random = seed | 1};
    jz_redis_wire_init(&peer->wire);
    peer->wire.take = take_replies;
}

static bool fail_by_lookup(jz_redis_peer *peer, const char *reason)
{
    return jz_redis_wire_fail(&peer->wire, "the address of %.100s is not found: %s", peer->target.host, reason);
}

/* What is left of the time is shared by the addresses that are left. */
static void share_time(jz_redis_peer *peer, uint64_t now_ms)
{
    uint64_t count = 1;
    for (const struct addrinfo *address = peer->next_address; address != NULL; address = address->ai_next)
        count++;
    peer->due_ms = peer->until_ms > now_ms ? now_ms + (peer->until_ms - now_ms) / count : peer->until_ms;
}

/* Tries the next address that does not fail at once. */
static bool connect_next(jz_redis_peer *peer, uint64_t now_ms)
{
    while (peer->next_address != NULL) {
        const struct addrinfo *address = peer->next_address;
        peer->next_address = address->ai_next;
        jz_redis_wire_close(&peer->wire);
        if (jz_redis_wire_connect(&peer->wire, address)) {
            peer->phase = JZ_REDIS_CONNECTS;
            share_time(peer, now_ms);
            return true;
        }
    }
    return false;
}

static bool take_addresses(jz_redis_peer *peer, uint64_t now_ms)
{
    const char *reason = NULL;
    peer->next_address = jz_redis_resolution_addresses(peer->resolution, &reason);
    if (peer->next_address == NULL)
        return fail_by_lookup(peer, reason != NULL ? reason : "it has none");
    return connect_next(peer, now_ms);
}

bool jz_redis_peer_begin(jz_redis_peer *peer, uint64_t until_ms, uint64_t now_ms)
{
    const jz_redis_target *target = &peer->target;
    jz_redis_resolution_free(peer->resolution);
    peer->resolution = NULL;
    peer->next_address = NULL;
    peer->wire.failure[0] = '\0';
    peer->due_ms = peer->until_ms = until_ms;
    if (target->path != NULL) {
        peer->phase = JZ_REDIS_CONNECTS;
        return jz_redis_wire_connect_path(&peer->wire, target->path);
    }
    peer->resolution = jz_redis_resolve(target->host, target->port);
    if (peer->resolution == NULL)
        return fail_by_lookup(peer, "there is no memory, no descriptor, or too many look-ups hang");
    peer->phase = JZ_REDIS_LOOKS_UP;
    return !jz_redis_resolution_is_done(peer->resolution) || take_addresses(peer, now_ms);
}

/* The greeting */

static bool add_step(jz_redis_peer *peer, jz_redis_step step, const char *const *texts)
{
    if (!jz_redis_command(&peer->wire.out, texts))
        return jz_redis_wire_fail(&peer->wire, "out of memory");
    peer->steps[peer->step_count++] = step;
    return true;
}

static bool add_identity(jz_redis_peer *peer, const char *user, const char *password)
{
    const char *name = peer->settings->options.client_name;
    if (password != NULL) {
        const char *alone[] = {"AUTH", password, NULL};
        const char *both[] = {"AUTH", user, password, NULL};
        if (!add_step(peer, JZ_REDIS_AUTH, user != NULL ? both : alone))
            return false;
    }
    return name[0] == '\0' || add_step(peer, JZ_REDIS_SETNAME, (const char *[]){"CLIENT", "SETNAME", name, NULL});
}

static bool greet_redis(jz_redis_peer *peer)
{
    const jz_redis_url *url = &peer->settings->url;
    char database[16];
    snprintf(database, sizeof database, "%" PRIu32, url->database);
    if (!add_identity(peer, url->user, url->password))
        return false;
    if (url->database != 0 && !add_step(peer, JZ_REDIS_SELECT, (const char *[]){"SELECT", database, NULL}))
        return false;
    return add_step(peer, JZ_REDIS_IDENTITY, (const char *[]){"INFO", "server", NULL}) &&
           add_step(peer, JZ_REDIS_ROLE, (const char *[]){"ROLE", NULL});
}

static bool greet_sentinel(jz_redis_peer *peer)
{
    const jz_redis_options *options = &peer->settings->options;
    const char *master = peer->settings->url.master;
    return add_identity(peer, options->sentinel_user, options->sentinel_password) &&
           add_step(peer, JZ_REDIS_MASTER, (const char *[]){"SENTINEL", "get-master-addr-by-name", master, NULL}) &&
           add_step(peer, JZ_REDIS_SENTINELS, (const char *[]){"SENTINEL", "sentinels", master, NULL}) &&
           add_step(peer, JZ_REDIS_FOLLOW, (const char *[]){"SUBSCRIBE", "+switch-master", NULL});
}

static bool greet(jz_redis_peer *peer, uint64_t now_ms)
{
    peer->step_count = peer->answered_steps = 0;
    peer->run[0] = '\0';
    if (!jz_redis_wire_connected(&peer->wire))
        return peer->next_address != NULL && connect_next(peer, now_ms);
    peer->due_ms = peer->until_ms;
    if (peer->settings->url.is_tls && !jz_redis_secured_begin(&peer->wire, peer->settings, peer->target.host))
        return false;
    peer->phase = JZ_REDIS_GREETS;
    bool is_written = peer->on_step != NULL ? greet_sentinel(peer) : greet_redis(peer);
    return is_written && jz_redis_wire_flush(&peer->wire);
}

static bool take_role(jz_redis_peer *peer, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 || reply->element[0]->type != REDIS_REPLY_STRING)
        return jz_redis_wire_fail(&peer->wire, "its answer to ROLE is not understood");
    const char *role = reply->element[0]->str;
    peer->has_met_replica = peer->has_met_replica || strcmp(role, "master") != 0;
    return strcmp(role, "master") == 0 ||
           jz_redis_wire_fail(&peer->wire, "it is no master, but a %.20s: name the master, or use Sentinel",
                              strcmp(role, "slave") == 0 ? "replica" : role);
}

static void take_identity(jz_redis_peer *peer, const redisReply *reply)
{
    static const char key[] = "run_id:";
    const char *found = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, key) : NULL;
    size_t length = found != NULL ? strcspn(found + sizeof key - 1, "\r\n") : 0;
    if (length > 0 && length < sizeof peer->run)
        snprintf(peer->run, length + 1, "%s", found + sizeof key - 1);
}

static bool refuse(jz_redis_peer *peer, jz_redis_step step, const char *refusal)
{
    static const char *const commands[] = {"AUTH", "CLIENT SETNAME", "SELECT",   "INFO",
                                           "ROLE", "SENTINEL",       "SENTINEL", "SUBSCRIBE"};
    if (step == JZ_REDIS_ROLE && strncmp(refusal, "NOPERM", 6) == 0)
        return jz_redis_wire_fail(&peer->wire, "its user may not ask for the role: allow it by ACL SETUSER ... +role");
    /* Who does not know AUTH repeats what came with it. */
    size_t length = step == JZ_REDIS_AUTH ? strcspn(refusal, "'`\"") : strlen(refusal);
    return jz_redis_wire_fail(&peer->wire, "%s: %.*s", commands[step], length < 120 ? (int)length : 120, refusal);
}

static bool begins(const char *refusal, const char *word)
{
    return strncmp(refusal, word, strlen(word)) == 0;
}

/* A name is only for operators, and not every Sentinel knows names, or may list the others; not every user may ask
   which Redis it is. */
static bool may_be_refused(jz_redis_step step, const char *refusal)
{
    return (step == JZ_REDIS_SETNAME || step == JZ_REDIS_SENTINELS || step == JZ_REDIS_IDENTITY) &&
           (begins(refusal, "NOPERM") || begins(refusal, "ERR unknown") || begins(refusal, "ERR No such"));
}

static bool take_step(jz_redis_peer *peer, const redisReply *reply)
{
    if (peer->answered_steps == peer->step_count)
        return jz_redis_wire_fail(&peer->wire, "it answers what was not asked");
    jz_redis_step step = peer->steps[peer->answered_steps++];
    if (reply->type == REDIS_REPLY_ERROR)
        return may_be_refused(step, reply->str) || refuse(peer, step, reply->str);
    if (step == JZ_REDIS_IDENTITY)
        take_identity(peer, reply);
    if (step == JZ_REDIS_ROLE)
        return take_role(peer, reply);
    return step < JZ_REDIS_MASTER || peer->on_step(peer->context, step, reply);
}

static bool take_greeting(jz_redis_peer *peer, redisReply *reply)
{
    bool is_fine = take_step(peer, reply);
    freeReplyObject(reply);
    if (is_fine && peer->answered_steps == peer->step_count) {
        peer->phase = JZ_REDIS_READY;
        if (peer->longest > 0)
            peer->wire.longest = peer->longest;
        jz_redis_replies_attach(&peer->replies, peer->wire.reader);
    }
    return is_fine;
}

static bool on_reply(void *context, void *reply)
{
    jz_redis_peer *peer = context;
    if (peer->phase != JZ_REDIS_READY)
        return take_greeting(peer, reply);
    return peer->replies.has_no_memory ? jz_redis_wire_fail(&peer->wire, "out of memory")
                                       : peer->on_reply(peer->context);
}

bool jz_redis_peer_receive(jz_redis_peer *peer, char *scratch, size_t size)
{
    return jz_redis_wire_receive(&peer->wire, scratch, size, on_reply, peer);
}

static bool go_on_greeting(jz_redis_peer *peer, short events, char *scratch, size_t size)
{
    return jz_redis_wire_flush(&peer->wire) && ((events & ~POLLOUT) == 0 || jz_redis_peer_receive(peer, scratch, size));
}

struct pollfd jz_redis_peer_watch(const jz_redis_peer *peer)
{
    struct pollfd watched = {.fd = peer->wire.descriptor, .events = POLLIN};
    if (peer->phase == JZ_REDIS_RESTS)
        watched.fd = -1;
    else if (peer->phase == JZ_REDIS_LOOKS_UP)
        watched.fd = jz_redis_resolution_descriptor(peer->resolution);
    else if (peer->phase == JZ_REDIS_CONNECTS)
        watched.events = POLLOUT;
    else if (jz_redis_wire_waits(&peer->wire))
        watched.events |= POLLOUT;
    return watched;
}

static bool proceed(jz_redis_peer *peer, short events, char *scratch, size_t size, uint64_t now_ms)
{
    if (events == 0)
        return true;
    switch (peer->phase) {
    case JZ_REDIS_LOOKS_UP:
        return !jz_redis_resolution_is_done(peer->resolution) || take_addresses(peer, now_ms);
    case JZ_REDIS_CONNECTS:
        return greet(peer, now_ms);
    case JZ_REDIS_GREETS:
        return go_on_greeting(peer, events, scratch, size);
    case JZ_REDIS_RESTS:
    case JZ_REDIS_READY:
        break;
    }
    return true;
}

static const char *const not_done[] = {"", "its address is not found yet", "it does not take the connection",
                                       "it does not answer"};

bool jz_redis_peer_proceed(jz_redis_peer *peer, short events, char *scratch, size_t size, uint64_t now_ms)
{
    if (!proceed(peer, events, scratch, size, now_ms))
        return false;
    if (peer->phase == JZ_REDIS_READY) {
        peer->ready_ms = now_ms;
        return true;
    }
    if (now_ms >= peer->due_ms && peer->phase == JZ_REDIS_CONNECTS && connect_next(peer, now_ms))
        return true;
    return now_ms < peer->due_ms || jz_redis_wire_fail(&peer->wire, "%s after %" PRIu32 " ms", not_done[peer->phase],
                                                       peer->settings->options.connect_timeout_ms);
}

void jz_redis_peer_lose(jz_redis_peer *peer, bool is_at_once, uint64_t now_ms)
{
    bool was_steady = peer->phase == JZ_REDIS_READY && now_ms - peer->ready_ms >= STEADY_MS;
    if (was_steady)
        peer->backoff.failures = 0;
    jz_redis_peer_end(peer);
    peer->lost_ms = now_ms;
    peer->due_ms = is_at_once ? now_ms : now_ms + jz_redis_backoff_next(&peer->backoff, &peer->settings->options);
}

void jz_redis_peer_end(jz_redis_peer *peer)
{
    jz_redis_wire_close(&peer->wire);
    jz_redis_replies_clear(&peer->replies);
    peer->replies.has_no_memory = false;
    jz_redis_resolution_free(peer->resolution);
    peer->resolution = NULL;
    peer->next_address = NULL;
    peer->phase = JZ_REDIS_RESTS;
}
