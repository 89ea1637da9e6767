/*
 * The probe: this process publishes to itself, through both connections. A connection that is dead without a word, a
 * Redis that takes messages and delivers none, and one for each direction are found by this alone. With each probe goes
 * the question whether Redis is a master still: one that becomes a replica keeps its connections, and takes messages
 * that reach nobody else.
 */
#define _POSIX_C_SOURCE 200809L

#include <string.h>

#include "envelope/envelope.h"
#include "link/clock.h"
#include "link/link.h"
#include "topics/channel.h"

static bool add_probe(jz_redis *redis, jz_redis_buffer *command, const char *channel, size_t length)
{
    uint8_t header[JZ_REDIS_ENVELOPE_MOST];
    jz_redis_envelope envelope = {.kind = JZ_REDIS_PROBE, .origin = redis->origin, .sequence = redis->probe.sent_us};
    return jz_redis_command_begin(command, 3) && jz_redis_command_add_text(command, "PUBLISH") &&
           jz_redis_command_add(command, channel, length) &&
           jz_redis_command_add(command, header, jz_redis_envelope_write(&envelope, header));
}

static bool send_probe(jz_redis *redis)
{
    static const char role[] = "*1\r\n$4\r\nROLE\r\n";
    jz_redis_buffer channel = {0};
    jz_redis_buffer command = {0};
    bool is_sent = false;
    if (jz_redis_buffer_reserve(&channel, redis->settings.prefix_length + JZ_REDIS_OWN_CHANNEL_MOST)) {
        memcpy(channel.bytes, redis->settings.options.prefix, redis->settings.prefix_length);
        char *end = jz_redis_channel_write_own(channel.bytes + redis->settings.prefix_length, redis->origin);
        is_sent = add_probe(redis, &command, channel.bytes, (size_t)(end - channel.bytes)) &&
                  jz_redis_queue_ask(&redis->queue, JZ_REDIS_QUEUED_ROLE, role, sizeof role - 1) &&
                  jz_redis_queue_ask(&redis->queue, JZ_REDIS_QUEUED_PROBE, command.bytes, command.end);
    }
    jz_redis_buffer_clear(&channel);
    jz_redis_buffer_clear(&command);
    return is_sent;
}

bool jz_redis_probe_work(jz_redis *redis, uint64_t now_ms)
{
    jz_redis_probe *probe = &redis->probe;
    const jz_redis_options *options = &redis->settings.options;
    if (redis->publisher.phase != JZ_REDIS_READY || !atomic_load(&redis->is_subscribed)) {
        probe->is_used = false;
        probe->unheard_ms = 0;
        return true;
    }
    if (!probe->is_used) {
        probe->is_used = true;
        probe->next_ms = now_ms;
        atomic_store(&redis->heard_ms, now_ms);
    }
    if (probe->unheard_ms != 0 && now_ms - probe->unheard_ms >= options->probe_timeout_ms)
        return false;
    if (now_ms < probe->next_ms)
        return true;
    probe->next_ms = now_ms + options->probe_interval_ms;
    probe->sent_us = jz_redis_now_us();
    /* Without memory it is not sent, which the time-out finds, unless the next one is. */
    if (!send_probe(redis))
        probe->next_ms = now_ms + 100;
    if (probe->unheard_ms == 0)
        probe->unheard_ms = now_ms;
    return true;
}

void jz_redis_probe_heard(jz_redis *redis, uint64_t sent_us)
{
    jz_redis_probe *probe = &redis->probe;
    uint64_t now_us = jz_redis_now_us();
    if (!probe->is_used || sent_us > probe->sent_us)
        return;
    /* Where Redis is slow, later ones are on their way. */
    probe->unheard_ms = sent_us == probe->sent_us ? 0 : now_us / 1000;
    atomic_store(&redis->heard_ms, now_us / 1000);
    atomic_store(&redis->lag_us, now_us - sent_us);
}
