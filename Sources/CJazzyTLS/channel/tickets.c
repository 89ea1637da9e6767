#include "channel/tickets.h"

#include <stdlib.h>
#include <string.h>

#include "channel/ciphertext.h"

enum { MOST_HELD = 2 * 1024 /* bytes: what is gathered has so much room besides eight records */ };

void jz_tls_hold_gathered(jz_tls_channel *channel)
{
    jz_tls_loop *loop = channel->loop;
    size_t length = loop->gathered_length;
    jz_tls_held *held =
        length > 0 && length <= MOST_HELD && channel->backlog == NULL ? malloc(sizeof *held + length) : NULL;
    if (held == NULL) {
        jz_tls_send_gathered(loop);
        return;
    }
    held->length = length;
    memcpy(held->bytes, loop->gathered, length);
    loop->gathered_length = 0;
    channel->held = held;
}

void jz_tls_gather_held(jz_tls_channel *channel)
{
    jz_tls_loop *loop = channel->loop;
    jz_tls_held *held = channel->held;
    if (held == NULL)
        return;
    memcpy(loop->gathered, held->bytes, held->length);
    loop->gathered_length = held->length;
    free(held);
    channel->held = NULL;
}
