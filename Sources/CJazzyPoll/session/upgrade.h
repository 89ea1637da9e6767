/* The opening handshake: judging a request and writing the answer (RFC 6455 §4.2), without a socket. */
#ifndef JAZZY_SESSION_UPGRADE_H
#define JAZZY_SESSION_UPGRADE_H

#include <stdbool.h>

#include "codec/accept_key.h"
#include "codec/request_head.h"
#include "session/buffer.h"
#include "session/deflate_agreement.h"

/* What the server answers. */
typedef struct jz_upgrade {
    int status;        /* 101, or the HTTP status that refuses it: 400, 405 or 426 */
    const char *fault; /* where it is refused, which rule was broken, and what was expected; static */
    char accept_key[JZ_ACCEPT_KEY_LENGTH]; /* where the status is 101, as is the agreement */
    jz_deflate_agreement deflate;
    jz_text subprotocol;     /* that was agreed on; empty is none. Filled in by whoever chooses. */
    jz_text further_headers; /* of the application: whole lines with CR LF */
} jz_upgrade;

/* Whether the request asks for the WebSocket protocol at all. */
bool jz_upgrade_is_requested(const jz_request_head *head);

/* Judges a request that asks for it (RFC 6455 §4.2.1), and agrees on compression as the options allow. */
jz_upgrade jz_upgrade_judge(const jz_request_head *head, const jz_deflate_options *deflate);

/* Appends the answer to a request that was accepted (§4.2.2, item 5). False when there is no memory. */
bool jz_upgrade_append_response(const jz_upgrade *upgrade, jz_buffer *output);

#endif
