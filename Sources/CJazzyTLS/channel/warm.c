#include "channel/warm.h"

#include <assert.h>

enum {
    USES_BEFORE_WARM = 3, /* a request and two messages: many connections are idle after those */
    MOST_SPARED = 4       /* channels that were used since they were last looked at */
};

static_assert(JZ_TLS_MOST_WARM < UINT8_MAX, "places fit into a byte");

/* Not while a part of a record is in them. (OpenSSL 3.0 before 3.0.14 does not look for decrypted data.) */
void jz_tls_free_buffers(jz_tls_channel *channel)
{
    if (SSL_pending(channel->ssl) == 0)
        SSL_free_buffers(channel->ssl);
}

/* A place on the list: a free one, or that of a channel that was not used for a while. */
static size_t make_place(jz_tls_loop *loop)
{
    for (int spared = 0;; spared++) {
        size_t place = loop->warm_next;
        jz_tls_channel *coldest = loop->warm[place];
        loop->warm_next = (place + 1) % JZ_TLS_MOST_WARM;
        if (coldest == NULL)
            return place;
        if (!coldest->is_used || spared == MOST_SPARED) {
            coldest->warm_place = 0;
            jz_tls_free_buffers(coldest);
            return place;
        }
        coldest->is_used = false;
    }
}

void jz_tls_warm_up(jz_tls_channel *channel)
{
    if (channel->uses < USES_BEFORE_WARM) {
        channel->uses++;
        jz_tls_free_buffers(channel);
        return;
    }
    size_t place = make_place(channel->loop);
    channel->loop->warm[place] = channel;
    channel->warm_place = (uint8_t)(place + 1);
}

void jz_tls_warm_forget(jz_tls_channel *channel)
{
    if (channel->warm_place != 0)
        channel->loop->warm[channel->warm_place - 1] = NULL;
    channel->warm_place = 0;
}
