#include "shard/peer_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shard/server.h"
#include "config/log.h"
#include "shard/shard.h"

enum { LONGEST_TEXT = JZ_LOG_LINE_SIZE + 1, SECOND_MS = 1000 };

void jz_peer_log_init(jz_peer_log *log)
{
    *log = (jz_peer_log){0};
    pthread_mutex_init(&log->lock, NULL);
}

void jz_peer_log_destroy(jz_peer_log *log)
{
    pthread_mutex_destroy(&log->lock);
}

static void tell_left_out(const jz_shard *shard, jz_log_level level, uint64_t count)
{
    const jz_log_about about = {.is_peers_fault = level == JZ_LOG_INFO};
    if (count > 0)
        jz_log_of(&shard->server->options, level, &about, "%" PRIu64 " more lines about peers were left out", count);
}

/* Makes the loop log later how many lines were omitted. */
static void owe_a_count(jz_shard *shard)
{
    if (!atomic_exchange(&shard->peer_log.owes_a_count, true) && jz_current_shard != shard)
        jz_poll_wake(shard->turn.loop.poll);
}

/*
 * Whether another line may be logged. First logs how many were omitted in an earlier second; without the lock, because
 * the application's log function may be slow.
 */
static bool may_tell(jz_shard *shard, jz_log_level level)
{
    jz_peer_log *log = &shard->peer_log;
    jz_peer_log_count *count = &log->counts[level];
    uint64_t second = jz_clock_ms() / SECOND_MS;
    uint64_t left_out = 0;
    if (level < shard->server->options.log_level)
        return false;
    pthread_mutex_lock(&log->lock);
    if (second != count->second) {
        left_out = count->left_out;
        *count = (jz_peer_log_count){.second = second};
    }
    bool may = count->lines < JZ_PEER_LOG_LINES_PER_SECOND;
    if (may)
        count->lines++;
    else
        count->left_out++;
    pthread_mutex_unlock(&log->lock);
    tell_left_out(shard, level, left_out);
    if (!may)
        owe_a_count(shard);
    return may;
}

/* Logs how many lines were omitted, except in `second`, which may not be over. */
static void settle(jz_shard *shard, uint64_t second)
{
    jz_peer_log *log = &shard->peer_log;
    for (int level = JZ_LOG_DEBUG; level <= JZ_LOG_ERROR; level++) {
        jz_peer_log_count *count = &log->counts[level];
        uint64_t left_out = 0;
        pthread_mutex_lock(&log->lock);
        bool is_over = count->second != second;
        if (is_over) {
            left_out = count->left_out;
            count->left_out = 0;
        } else if (count->left_out > 0) {
            atomic_store(&log->owes_a_count, true);
        }
        pthread_mutex_unlock(&log->lock);
        tell_left_out(shard, (jz_log_level)level, left_out);
    }
}

void jz_peer_log_follow(jz_shard *shard)
{
    jz_peer_log *log = &shard->peer_log;
    if (atomic_load_explicit(&log->owes_a_count, memory_order_relaxed) && log->timer.link == NULL)
        jz_timer_set(&shard->turn.loop.timers, &log->timer, SECOND_MS);
}

void jz_peer_log_expired(jz_shard *shard)
{
    atomic_store(&shard->peer_log.owes_a_count, false);
    settle(shard, jz_clock_ms() / SECOND_MS);
}

void jz_peer_log_finish(jz_shard *shard)
{
    settle(shard, UINT64_MAX);
}

void jz_peer_log_tell_text(jz_shard *shard, jz_log_level level, const jz_log_about *about, const char *text,
                           size_t length)
{
    if (may_tell(shard, level))
        jz_log_text(&shard->server->options, level, about, text, length);
}

static void tell(jz_shard *shard, jz_log_level level, const jz_address *peer, const jz_log_about *subject,
                 const char *format, va_list arguments)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    char text[LONGEST_TEXT];
    jz_log_about about = *subject;
    jz_address_format(peer, address, sizeof address);
    about.address = address;
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length > 0)
        jz_peer_log_tell_text(shard, level, &about, text,
                              (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void jz_peer_log_tell(jz_shard *shard, const jz_address *peer, const jz_log_about *about, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(shard, JZ_LOG_INFO, peer, about, format, arguments);
    va_end(arguments);
}

void jz_peer_log_tell_at(jz_shard *shard, jz_log_level level, const jz_address *peer, const jz_log_about *about,
                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(shard, level, peer, about, format, arguments);
    va_end(arguments);
}
