/* What a channel has read and not passed on: ciphertext without the rest of its record, data without room for it. */
#ifndef JAZZY_TLS_CHANNEL_INPUT_H
#define JAZZY_TLS_CHANNEL_INPUT_H

#include "channel/channel.h"

struct jz_tls_kept {
    size_t length;
    size_t capacity;
    uint8_t bytes[];
};

struct jz_tls_spill {
    size_t taken;
    size_t length;
    uint8_t bytes[];
};

/* Adds ciphertext behind what is kept. Without memory the channel is broken, and says why. */
void jz_tls_keep(jz_tls_channel *channel, const uint8_t *bytes, size_t length);

/* Keeps these bytes alone. Nothing is kept if there are none. */
void jz_tls_keep_only(jz_tls_channel *channel, const uint8_t *bytes, size_t length);

/* Whether what is kept has a whole record, or something wrong. */
bool jz_tls_has_whole_record(const jz_tls_channel *channel);

/* Keeps data that the server has no room for. As jz_tls_keep. */
void jz_tls_spill_data(jz_tls_channel *channel, const uint8_t *bytes, size_t length);
size_t jz_tls_take_spilled(jz_tls_channel *channel, uint8_t *bytes, size_t capacity);

#endif
