/* Negotiation of permessage-deflate (RFC 7692 §7.1): which offer is accepted, with which answer. */
#ifndef JAZZY_SESSION_DEFLATE_AGREEMENT_H
#define JAZZY_SESSION_DEFLATE_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/extension_header.h"
#include "codec/request_head.h"
#include "session/buffer.h"
#include "jazzy/server.h"

/* What client and server agreed on: exactly what is answered, and what is done. */
typedef struct jz_deflate_agreement {
    bool is_agreed; /* else nothing is compressed */
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    bool names_server_max_window_bits; /* the answer has the parameter */
    bool names_client_max_window_bits;
    uint8_t server_max_window_bits; /* 9 to 15: the window we compress with */
    uint8_t client_max_window_bits; /* 8 to 15: the largest window the client compresses with */
} jz_deflate_agreement;

/* Tries one offer. False: decline it. */
bool jz_deflate_agree(const jz_deflate_offer *offer, const jz_deflate_options *options,
                      jz_deflate_agreement *agreement);

/*
 * Accepts the first acceptable offer of a request. Returns false if a Sec-WebSocket-Extensions header is malformed. It
 * is no error if no offer is accepted: is_agreed is then false.
 */
bool jz_deflate_negotiate(const jz_request_head *head, const jz_deflate_options *options,
                          jz_deflate_agreement *agreement);

/* Appends the header line of the answer, if there is an agreement. False when there is no memory. */
bool jz_deflate_append_answer(const jz_deflate_agreement *agreement, jz_buffer *output);

#endif
