#include "lifecycle/telling.h"

#include "http/asking.h"
#include "lifecycle/errand_runner.h"
#include "lifecycle/progress.h"
#include "http/responding.h"
#include "output/sending.h"
#include "shard/server.h"

/* Sends a WebSocket the close frame; other connections end when their output is sent. */
static void tell(jz_shard *shard, jz_connection *connection)
{
    const jz_farewell *farewell = &shard->server->farewell;
    /* A page may be in transit, with another request unread behind it: closing would send a reset, and destroy the
       page. */
    if (connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY)
        jz_http_finish(shard, connection, jz_progress_is_awaited(shard, connection));
    else if (connection->phase == JZ_PHASE_ASKING)
        jz_asking_stop(shard, connection, jz_progress_is_awaited(shard, connection));
    else if (connection->phase == JZ_PHASE_WEBSOCKET)
        jz_connection_close_behind(shard, connection, JZ_CAUSE_STOPPING, farewell->code,
                                   (jz_text){farewell->reason, farewell->reason_length});
    jz_turn_mark_dirty(&shard->turn, connection);
}

static bool is_to_be_told(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           jz_session_is_open(&connection->session);
}

/* The next connection to tell; NULL if there is none. */
static jz_connection *next_to_tell(jz_shard *shard)
{
    jz_telling *telling = &shard->telling;
    uint32_t slot_count = shard->slots.chunk_count * JZ_SLOTS_PER_CHUNK;
    for (; telling->next_slot < slot_count; telling->next_slot++) {
        jz_connection *connection = jz_slots_at(&shard->slots, telling->next_slot);
        if (is_to_be_told(connection))
            return connection;
    }
    return NULL;
}

/* When to tell the next connection: at even intervals within this shard, and across all shards. */
static uint64_t next_time(const jz_shard *shard)
{
    const jz_telling *telling = &shard->telling;
    if (telling->told >= telling->count)
        return telling->until_ms;
    uint64_t shards = shard->server->shard_count;
    uint64_t number = (uint64_t)(shard - shard->server->shards);
    uint64_t duration = telling->until_ms - telling->began_ms;
    /* No overflow: an hour, four million connections and 256 shards are far below 2^64. */
    return telling->began_ms + duration * (telling->told * shards + number) / (telling->count * shards);
}

void jz_telling_go_on(jz_shard *shard)
{
    jz_telling *telling = &shard->telling;
    uint64_t now = jz_clock_ms();
    jz_connection *connection;
    while ((connection = next_to_tell(shard)) != NULL && now >= next_time(shard)) {
        tell(shard, connection);
        telling->told++;
        telling->next_slot++;
    }
    jz_timer_cancel(&shard->turn.loop.timers, &telling->timer);
    if (connection == NULL) {
        telling->is_over = true;
        telling->over_ms = now;
    } else {
        jz_timer_set(&shard->turn.loop.timers, &telling->timer, (uint32_t)(next_time(shard) - now));
    }
}

/* Counts the connections to tell, and ends the others. */
static void take_stock(jz_shard *shard, jz_connection *connection)
{
    if (is_to_be_told(connection))
        shard->telling.count++;
    else
        tell(shard, connection);
}

/* Spreads the remaining connections over the time until `until_ms`. */
static void plan(jz_telling *telling, uint64_t until_ms)
{
    telling->count -= telling->told < telling->count ? telling->told : telling->count;
    telling->told = 0;
    telling->began_ms = jz_clock_ms();
    telling->until_ms = until_ms > telling->began_ms ? until_ms : telling->began_ms;
}

void jz_telling_begin(jz_shard *shard)
{
    jz_shard_visit(shard, take_stock);
    plan(&shard->telling, atomic_load(&shard->server->tell_by_ms));
    jz_telling_go_on(shard);
}

bool jz_telling_follow(jz_shard *shard)
{
    jz_telling *telling = &shard->telling;
    uint64_t tell_by_ms = atomic_load(&shard->server->tell_by_ms);
    if (telling->is_over)
        return false;
    bool is_hurried = tell_by_ms < telling->until_ms;
    if (is_hurried)
        plan(telling, tell_by_ms);
    if (is_hurried || next_to_tell(shard) == NULL)
        jz_telling_go_on(shard);
    return is_hurried;
}

void jz_telling_finish(jz_shard *shard)
{
    if (shard->telling.is_over)
        return;
    plan(&shard->telling, 0);
    jz_telling_go_on(shard);
}
