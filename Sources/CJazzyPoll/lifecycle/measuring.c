#include "lifecycle/measuring.h"

#include "lifecycle/delivery.h"
#include "shard/server.h"

/* So often that a loop that is blocked for 200 ms is always noticed, and so rarely that an idle loop sleeps. */
enum { TIMER_EVERY_MS = 100, NS_PER_TICK = JZ_TICK_MS * 1000 * 1000 };

void jz_measuring_begin(jz_shard *shard)
{
    if (!shard->server->is_measured)
        return;
    jz_sampling_begin(&shard->handler_sampling);
    jz_timer_set(&shard->turn.loop.timers, &shard->measuring_timer, TIMER_EVERY_MS);
}

void jz_measuring_expired(jz_shard *shard)
{
    uint64_t due = (uint64_t)shard->measuring_timer.tick * NS_PER_TICK;
    uint64_t now = jz_clock_ns();
    jz_histogram_observe(&shard->timer_delay, &jz_timer_bounds, now > due ? now - due : 0);
    jz_timer_set(&shard->turn.loop.timers, &shard->measuring_timer, TIMER_EVERY_MS);
}

void jz_measuring_opened(jz_shard *shard, const jz_connection *connection)
{
    jz_slot_time *time = jz_slot_times_at(&shard->slot_times, connection->slot);
    if (time == NULL)
        return;
    atomic_store_explicit(&time->opened, jz_tick_of(shard->turn.loop.now_ms), memory_order_relaxed);
    time->pinged = 0;
}

void jz_measuring_closed(jz_shard *shard, const jz_connection *connection)
{
    jz_route_measures *measures = jz_connection_route(connection)->measures;
    const jz_slot_time *time = jz_slot_times_at(&shard->slot_times, connection->slot);
    if (measures == NULL || time == NULL)
        return;
    uint32_t ticks = jz_tick_of(shard->turn.loop.now_ms) - atomic_load_explicit(&time->opened, memory_order_relaxed);
    jz_histogram_observe(&measures->websocket, &jz_websocket_bounds, (uint64_t)ticks * NS_PER_TICK);
}

void jz_measuring_pinged(jz_shard *shard, const jz_connection *connection)
{
    jz_slot_time *time = jz_slot_times_at(&shard->slot_times, connection->slot);
    if (time != NULL)
        time->pinged = jz_ping_mark(jz_clock_ns());
}

void jz_measuring_ponged(jz_shard *shard, const jz_connection *connection)
{
    jz_slot_time *time = jz_slot_times_at(&shard->slot_times, connection->slot);
    if (time == NULL || time->pinged == 0)
        return;
    jz_histogram_observe(&shard->server->ping_round_trip, &jz_ping_bounds, jz_since_ping(time->pinged, jz_clock_ns()));
    time->pinged = 0;
}

void jz_measuring_deliver(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message)
{
    const jz_route *route = jz_connection_route(connection);
    bool is_measured = event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY &&
                       route->options.execution == JZ_EXECUTION_LOOP && route->measures != NULL;
    uint64_t began = is_measured ? jz_clock_ns() : 0;
    jz_deliver_anything(shard, connection, event, message);
    if (is_measured)
        jz_histogram_observe(&route->measures->handler, &jz_handler_bounds, jz_clock_ns() - began);
}
