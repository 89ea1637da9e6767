/* The public functions of histories. */
#include "jazzy/history.h"

#include <errno.h>

#include "codec/utf8.h"
#include "handles/access.h"
#include "loop/report.h"
#include "output/sending.h"
#include "pubsub/shared_past.h"
#include "shard/errand.h"
#include "shard/fetching.h"
#include "shard/server.h"

enum { MOST_KEPT = 1000000, SHORTEST_MS = 1000 };
#define LONGEST_MS UINT64_C(2592000000)
#define MOST_BYTES (UINT64_C(4) << 30)

jz_history_options jz_history_options_default(void)
{
    return (jz_history_options){.keep = 100, .for_ms = 300000, .bytes = 1024 * 1024};
}

static jz_status check(const jz_history_options *options, jz_error *error)
{
    if (options->keep < 1 || options->keep > MOST_KEPT)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option keep of a history is %zu; it has to be from 1 to 1000000", options->keep);
    if (options->for_ms < SHORTEST_MS || options->for_ms > LONGEST_MS)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option for_ms of a history is %u; it has to be from 1000 to 2592000000", options->for_ms);
    if (options->bytes < 1 || options->bytes > MOST_BYTES)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option bytes of a history is %zu; it has to be from 1 to 4294967296", options->bytes);
    return JZ_OK;
}

/* How much of a prefix an error names. */
static int shown(size_t length)
{
    return length < 60 ? (int)length : 60;
}

jz_status jz_server_history(jz_server *server, const char *prefix, size_t prefix_length,
                            const jz_history_options *options, jz_error *error)
{
    const jz_history_options defaults = jz_history_options_default();
    const jz_text text = {prefix, prefix_length};
    int state = atomic_load(&server->state);
    if (options == NULL)
        options = &defaults;
    if (check(options, error) != JZ_OK)
        return JZ_STATUS_INVALID_OPTION;
    if (state != JZ_SERVER_CREATED && state != JZ_SERVER_LISTENING)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot keep a history: ask for it before the server runs");
    if (server->history == NULL)
        server->history = jz_history_create(server->options.history_limit, &server->topic_key);
    if (server->history == NULL)
        return jz_report_system(error, ENOMEM, "keep a history");
    if (jz_history_has_rule(server->history, text))
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "topics that begin with \"%.*s\" have a history already",
                         shown(prefix_length), prefix_length > 0 ? prefix : "");
    if (jz_history_rule_count(server->history) == JZ_MAX_HISTORIES)
        return jz_report(error, JZ_STATUS_LIMIT_REACHED,
                         "cannot keep another history: a server has at most %d; use shorter prefixes",
                         JZ_MAX_HISTORIES);
    return jz_history_add_rule(server->history, text, options) ? JZ_OK
                                                               : jz_report_system(error, ENOMEM, "keep a history");
}

static int rule_for(const jz_server *server, jz_text topic)
{
    return server->history != NULL ? jz_history_rule_for(server->history, topic) : -1;
}

static const jz_subscribe_options defaults; /* all zero */

/* `own`: whether the shard runs on this thread, and its earlier errands are done. */
static jz_send_status subscribe(jz_shard *shard, bool is_own, int rule, jz_ws ws, jz_text topic,
                                const jz_subscribe_options *options, jz_subscribed *subscribed)
{
    jz_history *history = shard->server->history;
    jz_held_topic held;
    if (!jz_topic_hold(shard->server, topic))
        return JZ_SEND_DROPPED;
    jz_history_hold(history, rule, topic, is_own ? shard->turn.loop.now_ms : jz_clock_ms(), &held);
    if (jz_history_has_to_ask(&held, options)) {
        jz_send_status asked = jz_fetching_wait(shard, ws, options, &held);
        if (asked == JZ_SEND_DROPPED)
            jz_topic_let_go(shard->server, topic);
        else if (subscribed != NULL)
            *subscribed = (jz_subscribed){.is_pending = true};
        return asked;
    }
    /* As for publications: with an empty mailbox this loop has delivered everything up to the newest message. */
    bool is_at_once = is_own && !jz_loop_has_letters(&shard->turn.loop);
    jz_replay *replay = jz_history_take(&held, options);
    jz_subscribed begins = replay != NULL ? replay->begins : (jz_subscribed){0};
    jz_send_status status = JZ_SEND_DROPPED;
    if (replay != NULL && !is_at_once)
        status = jz_errand_replay(shard, ws, topic, replay);
    jz_history_release(&held);
    if (replay != NULL && is_at_once)
        status = jz_replay_play(&shard->turn, &shard->topics, jz_slots_find(&shard->slots, ws), topic, replay);
    if (status != JZ_SEND_QUEUED) {
        jz_topic_let_go(shard->server, topic);
        jz_replay_free(replay);
    }
    if (subscribed != NULL && status <= JZ_SEND_QUEUED)
        *subscribed = begins;
    return status;
}

/* In envelopes the topic has a name of JSON. */
static bool may_be_named(jz_text topic, const jz_subscribe_options *options)
{
    return options == NULL || !options->envelops || jz_utf8_is_valid((const uint8_t *)topic.start, topic.length);
}

jz_send_status jz_ws_subscribe_from(jz_ws ws, const char *topic, size_t length, const jz_subscribe_options *options,
                                    jz_subscribed *subscribed)
{
    const jz_text name = {topic, length};
    jz_shard *own = jz_own_shard_in_order(ws);
    jz_shard *shard = own != NULL ? own : jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    int rule = rule_for(shard->server, name);
    const jz_connection *connection = own != NULL ? jz_slots_find(&own->slots, ws) : NULL;
    jz_send_status status = JZ_SEND_DROPPED;
    if (own != NULL && (connection == NULL || !jz_connection_is_writable(connection)))
        status = JZ_SEND_CLOSED;
    else if (rule >= 0 && may_be_named(name, options))
        status = subscribe(shard, own != NULL, rule, ws, name, options != NULL ? options : &defaults, subscribed);
    if (status == JZ_SEND_QUEUED)
        jz_wait_for_queued(ws);
    if (own == NULL)
        jz_leave_shard(ws);
    return status;
}

size_t jz_server_recent(jz_server *server, const char *topic, size_t topic_length, size_t count,
                        void (*visit)(void *context, jz_message_kind kind, const void *bytes, size_t length),
                        void *context, jz_position *position)
{
    const jz_text name = {topic, topic_length};
    const jz_subscribe_options options = {.recent = count};
    int rule = rule_for(server, name);
    jz_replay *replay = NULL;
    if (rule >= 0) {
        jz_held_topic held;
        jz_history_hold(server->history, rule, name, jz_clock_ms(), &held);
        replay = jz_history_take(&held, &options);
        jz_history_release(&held);
    }
    jz_subscribed begins = replay != NULL ? replay->begins : (jz_subscribed){0};
    for (size_t i = 0; i < begins.count; i++) {
        size_t length;
        const void *payload = jz_publication_payload(replay->publications[i], &length);
        visit(context, jz_publication_kind(replay->publications[i]), payload, length);
    }
    jz_replay_free(replay);
    if (position != NULL)
        *position = (jz_position){begins.position.epoch, begins.position.offset + begins.count};
    return begins.count;
}

void jz_server_history_statistics(jz_server *server, jz_history_statistics *statistics)
{
    *statistics = server->history != NULL ? jz_history_count(server->history) : (jz_history_statistics){0};
}
