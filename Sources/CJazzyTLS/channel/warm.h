/*
 * Which channels keep OpenSSL's two buffers, of 17 KB each, between their messages. Freeing both after each message, as
 * SSL_MODE_RELEASE_BUFFERS does, costs time, and keeping all of them memory: the busiest channels of a loop are warm
 * and keep theirs, all others have none.
 */
#ifndef JAZZY_TLS_CHANNEL_WARM_H
#define JAZZY_TLS_CHANNEL_WARM_H

#include "channel/channel.h"

/* Private to the inline functions below, for channels that are not warm. */
void jz_tls_warm_up(jz_tls_channel *channel);
void jz_tls_free_buffers(jz_tls_channel *channel);

/* The channel has received data: if it is, or becomes, warm, it keeps its buffers. */
static inline void jz_tls_note_use(jz_tls_channel *channel)
{
    channel->is_used = true;
    if (channel->warm_place == 0)
        jz_tls_warm_up(channel);
}

/* Who is not warm keeps nothing. */
static inline void jz_tls_cool(jz_tls_channel *channel)
{
    if (channel->warm_place == 0)
        jz_tls_free_buffers(channel);
}

/* The channel is closed. */
void jz_tls_warm_forget(jz_tls_channel *channel);

#endif
