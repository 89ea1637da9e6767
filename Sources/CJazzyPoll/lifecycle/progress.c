#include "lifecycle/progress.h"

#include "http/exchange.h"
#include "loop/socket.h"
#include "shard/server.h"

enum {
    ENOUGH_PATIENCE_MS = 8000,
    MOST_PATIENCE = 4, /* times the time-out */
    SHIFT = 8,         /* a mark of 16 bits counts units of 256 bytes, in all 16 MiB: more than a kernel buffers */
    MARKS = JZ_PROGRESS_TAKEN - 1
};

static int descriptor_of(const jz_shard *shard, const jz_connection *connection)
{
    return jz_link_descriptor(&shard->turn.links, connection->link);
}

bool jz_progress_is_awaited(const jz_shard *shard, const jz_connection *connection)
{
    return connection->unsent != NULL || jz_exchange_is_sending(connection) ||
           jz_socket_unacknowledged(descriptor_of(shard, connection)) > 0;
}

uint32_t jz_progress_patience(uint32_t timeout_ms)
{
    if (timeout_ms >= ENOUGH_PATIENCE_MS)
        return timeout_ms;
    uint32_t patience = timeout_ms * MOST_PATIENCE;
    return patience < ENOUGH_PATIENCE_MS ? patience : ENOUGH_PATIENCE_MS;
}

/* Whether `taken` bytes are enough for the elapsed time; 0 never is. */
static bool is_enough(const jz_shard *shard, uint64_t taken, uint32_t elapsed_ms)
{
    return taken > 0 && taken >= (uint64_t)shard->server->options.min_send_rate * elapsed_ms / 1000;
}

/* A mark is one more than its value, because 0 means no mark. */
static uint32_t mark_of(uint64_t position, uint32_t most)
{
    return (uint32_t)(position % most) + 1;
}

static uint32_t difference_of(uint32_t now, uint32_t before, uint32_t most)
{
    return now >= before ? now - before : now + (most - before);
}

uint16_t jz_progress_mark(const jz_shard *shard, const jz_connection *connection)
{
    return (uint16_t)mark_of(jz_socket_acknowledged(descriptor_of(shard, connection)) >> SHIFT, MARKS);
}

bool jz_progress_was_made(const jz_shard *shard, const jz_connection *connection, uint32_t elapsed_ms)
{
    uint64_t taken = difference_of(jz_progress_mark(shard, connection), connection->session.owner_tag, MARKS);
    /* Rounding lost up to one unit: count it in the peer's favour. */
    return taken > 0 && is_enough(shard, (taken + 1) << SHIFT, elapsed_ms);
}

bool jz_progress_goes_on(const jz_shard *shard, jz_connection *connection, uint32_t timeout_ms)
{
    uint32_t before = connection->timer.tag;
    if (before == 0 && !jz_progress_is_awaited(shard, connection))
        return false;
    uint32_t now = mark_of(jz_socket_acknowledged(descriptor_of(shard, connection)), UINT32_MAX);
    connection->timer.tag = now;
    return before == 0 || is_enough(shard, difference_of(now, before, UINT32_MAX), jz_progress_patience(timeout_ms));
}
