/* The Sec-WebSocket-Extensions header (RFC 6455 §9.1), and the permessage-deflate offers in it (RFC 7692 §7.1). */
#ifndef JAZZY_CODEC_EXTENSION_HEADER_H
#define JAZZY_CODEC_EXTENSION_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/text.h"

/* A client's offer of permessage-deflate. */
typedef struct jz_deflate_offer {
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    bool has_client_max_window_bits;
    uint8_t client_max_window_bits; /* 8 to 15; 0 if it has no value */
    uint8_t server_max_window_bits; /* 8 to 15; 0 where it was not offered */
} jz_deflate_offer;

typedef enum jz_extension_result {
    JZ_EXTENSION_DEFLATE,   /* a permessage-deflate offer with only legal parameters */
    JZ_EXTENSION_DECLINED,  /* another extension, or an offer with an unknown, repeated, illegal or malformed parameter
                             */
    JZ_EXTENSION_END,       /* no further extension in this header */
    JZ_EXTENSION_MALFORMED, /* not a list of extensions: the handshake must fail (RFC 6455 §9.1) */
} jz_extension_result;

/* Takes the next extension off the front of the header's value. Fills in `offer` for JZ_EXTENSION_DEFLATE. */
jz_extension_result jz_extension_header_take(jz_text *rest, jz_deflate_offer *offer);

#endif
