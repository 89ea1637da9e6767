#include "handles/access.h"

#include "output/sending.h"
#include "shard/errand.h"
#include "shard/hold.h"

/* The limit is for other threads. Taking all that waits would let everyone else of this loop wait for it, too. */
static void make_room(jz_shard *shard)
{
    while (!jz_errand_may_wait(shard) && jz_loop_take_letter(&shard->turn.loop))
        continue;
}

bool jz_bring_in_order(jz_shard *shard)
{
    if (jz_loop_take_letters(&shard->turn.loop))
        return true;
    make_room(shard);
    return !jz_loop_has_letters(&shard->turn.loop);
}

/* The connection whose handler is called, on the loop that runs on this thread. */
static jz_connection *called(const jz_shard *own)
{
    return own->told != NULL ? own->told : own->turn.current;
}

jz_ws jz_called_here(void)
{
    const jz_shard *own = jz_current_shard;
    return own != NULL && called(own) != NULL ? jz_shard_handle_of(own, called(own)) : (jz_ws){0};
}

static bool is_called(const jz_shard *own, jz_ws ws)
{
    return called(own) != NULL && jz_shard_handle_of(own, called(own)).value == ws.value;
}

static void wait_for_letters(jz_shard *own)
{
    if (!jz_connection_is_writable(called(own)))
        return;
    own->has_queued = true;
    jz_hold_begin(own, called(own), JZ_HOLD_WORK);
    jz_ration_look_soon(&own->ration);
}

void jz_wait_for_queued(jz_ws ws)
{
    jz_shard *own = jz_own_shard(ws);
    if (own != NULL && is_called(own, ws))
        wait_for_letters(own);
}

void jz_wait_for_published(jz_shard *own, jz_ws except)
{
    if (called(own) != NULL && called(own)->subscriptions != NULL && !is_called(own, except))
        wait_for_letters(own);
}

jz_shard *jz_enter_open_shard(jz_ws ws)
{
    jz_shard *shard = jz_enter_shard(ws);
    if (shard == NULL || jz_handle_is_open(shard, ws))
        return shard;
    jz_leave_shard(ws);
    return NULL;
}

bool jz_handle_is(const jz_shard *shard, jz_ws ws, jz_visible visible)
{
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    /* Check the handle again: before `visible` was read, the slot may have been given to another connection. */
    return connection != NULL && atomic_load_explicit(&connection->visible, memory_order_acquire) == visible &&
           jz_slots_find(&shard->slots, ws) == connection;
}

/* Reads the address, and then checks that the slot was not given to another connection meanwhile. */
static bool read_peer(const jz_shard *shard, jz_ws ws, jz_address *address)
{
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL)
        return false;
    *address = jz_connection_peer(connection);
    return jz_slots_find(&shard->slots, ws) == connection;
}

bool jz_reach_peer(jz_ws ws, jz_address *address)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return false;
    bool is_known = read_peer(shard, ws, address);
    jz_leave_reached_shard(ws, shard);
    return is_known;
}
