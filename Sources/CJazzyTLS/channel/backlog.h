/* Ciphertext that the kernel has not taken yet, in order. A channel has one only while its peer does not read. */
#ifndef JAZZY_TLS_CHANNEL_BACKLOG_H
#define JAZZY_TLS_CHANNEL_BACKLOG_H

#include "channel/channel.h"

enum { JZ_TLS_MOST_RECORDS = 8 /* of output that are encrypted before the kernel takes them */ };

/* A record of output: it is accepted when the backlog is sent up to its end. */
typedef struct jz_tls_sealed {
    size_t end;
    uint32_t length; /* of its data */
} jz_tls_sealed;

struct jz_tls_backlog {
    size_t sent;
    size_t length;
    size_t capacity;
    size_t answers; /* bytes of it that answer the peer's messages, such as key updates */
    jz_tls_sealed records[JZ_TLS_MOST_RECORDS];
    uint8_t record_count;
    uint8_t accepted_count;
    uint8_t bytes[];
};

/* Adds bytes behind all others. Without memory the channel is broken. */
void jz_tls_backlog_add(jz_tls_channel *channel, const uint8_t *bytes, size_t length);

/* Sends what the kernel takes now. When all was sent, the backlog is gone. */
void jz_tls_backlog_flush(jz_tls_channel *channel);

#endif
