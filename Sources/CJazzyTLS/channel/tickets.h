/*
 * The session tickets that OpenSSL writes when a handshake of TLS 1.3 is done. The client's request has usually come
 * with the end of the handshake: then they go out with its answer, by one system call and in one packet.
 */
#ifndef JAZZY_TLS_CHANNEL_TICKETS_H
#define JAZZY_TLS_CHANNEL_TICKETS_H

#include "channel/channel.h"

struct jz_tls_held {
    size_t length;
    uint8_t bytes[];
};

/* Holds what was gathered, or sends it, where it is much. */
void jz_tls_hold_gathered(jz_tls_channel *channel);

/* Gathers what was held, before anything else is. */
void jz_tls_gather_held(jz_tls_channel *channel);

#endif
