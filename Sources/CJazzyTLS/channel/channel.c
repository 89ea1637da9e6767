#include "channel/channel.h"

#include <stdlib.h>
#include <string.h>

#include "channel/backlog.h"
#include "channel/ciphertext.h"
#include "channel/input.h"
#include "channel/tickets.h"
#include "jazzy/tls.h"

static jz_tls_early *copy_early(const uint8_t *bytes, size_t length)
{
    jz_tls_early *early = length < SIZE_MAX - sizeof *early ? malloc(sizeof *early + length) : NULL;
    if (early == NULL)
        return NULL;
    *early = (jz_tls_early){.length = length};
    memcpy(early->bytes, bytes, length);
    return early;
}

static void *open_channel(void *context, int descriptor, const uint8_t *early, size_t early_length)
{
    jz_tls_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    channel->loop = jz_tls_loop_join();
    channel->early = early_length > 0 ? copy_early(early, early_length) : NULL;
    if (channel->loop == NULL || (early_length > 0 && channel->early == NULL)) {
        if (channel->loop != NULL)
            jz_tls_loop_leave(channel->loop);
        free(channel->early);
        free(channel);
        return NULL;
    }
    channel->tls = context;
    channel->descriptor = descriptor;
    channel->phase = JZ_TLS_PHASE_SILENT;
    return channel;
}

static unsigned interest(void *opaque, unsigned wanted)
{
    const jz_tls_channel *channel = opaque;
    unsigned watched = channel->phase == JZ_TLS_PHASE_OPEN ? wanted : JZ_READABLE;
    if (channel->is_stalled)
        watched &= ~(unsigned)JZ_READABLE;
    /* Stalled without a backlog: `send` has sent it, and `ready` is to say that reading goes on. */
    if (channel->backlog != NULL || channel->is_stalled)
        return watched | JZ_WRITABLE;
    return watched == JZ_READABLE && !channel->may_have_input ? JZ_READABLE | JZ_ONCE : watched;
}

/* After the handshake. */
static unsigned go_on(jz_tls_channel *channel, unsigned what)
{
    unsigned may = channel->is_stalled ? 0 : what & JZ_READABLE;
    if ((what & JZ_WRITABLE) == 0)
        return may;
    jz_tls_backlog_flush(channel);
    if (channel->is_broken)
        return JZ_LOST;
    if (channel->backlog != NULL)
        return may;
    /* What it has sent meanwhile may be in OpenSSL's buffer, of which the poll does not know. */
    if (channel->is_stalled)
        may |= JZ_READABLE;
    channel->is_stalled = false;
    return may | JZ_WRITABLE;
}

static unsigned ready(void *opaque, unsigned what)
{
    jz_tls_channel *channel = opaque;
    if ((what & JZ_READABLE) != 0)
        channel->may_have_input = true;
    switch ((jz_tls_phase)channel->phase) {
    case JZ_TLS_PHASE_OPEN:
        return go_on(channel, what);
    case JZ_TLS_PHASE_STRANGER:
        return jz_tls_dismiss_stranger(channel);
    default:
        return jz_tls_shake_hands(channel);
    }
}

static const char *protocol(void *opaque)
{
    const jz_tls_channel *channel = opaque;
    return jz_tls_protocol(channel->facts);
}

static const char *failure(void *opaque)
{
    const jz_tls_channel *channel = opaque;
    return channel->why;
}

static bool property(void *opaque, size_t index, const char **name, const char **value, size_t *length)
{
    const jz_tls_channel *channel = opaque;
    return jz_tls_property(channel->facts, index, name, value, length);
}

static void count_failed(const jz_tls_channel *channel)
{
    if (channel->phase != JZ_TLS_PHASE_OPEN && (channel->phase != JZ_TLS_PHASE_SILENT || channel->why != NULL))
        atomic_fetch_add_explicit(&jz_tls_counters_of(channel->tls)->failed, 1, memory_order_relaxed);
}

static void close_channel(void *opaque)
{
    jz_tls_channel *channel = opaque;
    jz_tls_enter(channel);
    count_failed(channel);
    jz_tls_discard(channel->loop);
    SSL_free(channel->ssl);
    jz_tls_forget_secrets(channel);
    jz_tls_records_free(channel->records);
    jz_tls_facts_free(channel->facts);
    if (channel->generation != NULL)
        jz_tls_release_generation(channel->generation);
    free(channel->early);
    free(channel->kept);
    free(channel->spill);
    free(channel->held);
    free(channel->backlog);
    free(channel->why);
    channel->loop->current = NULL;
    jz_tls_loop_leave(channel->loop);
    free(channel);
}

static void report(void *context, jz_transport_report *told)
{
    jz_tls_statistics statistics = jz_tls_statistics_of(context);
    *told = (jz_transport_report){.handshakes = statistics.handshakes,
                                  .resumed = statistics.resumed,
                                  .failed = statistics.failed,
                                  .reloads = statistics.reloads,
                                  .failed_reloads = statistics.failed_reloads,
                                  .expires = statistics.expires};
}

static const jz_transport transport = {.open = open_channel,
                                       .interest = interest,
                                       .ready = ready,
                                       .receive = jz_tls_receive,
                                       .send = jz_tls_send,
                                       .protocol = protocol,
                                       .failure = failure,
                                       .close = close_channel,
                                       .is_secure = true,
                                       .property = property,
                                       .report = report};

const jz_transport *jz_tls_transport(void)
{
    return &transport;
}
