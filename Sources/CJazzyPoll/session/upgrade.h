/* The opening handshake (RFC 6455 §4.2), without a socket: checks a request and writes the answer. */
#ifndef JAZZY_SESSION_UPGRADE_H
#define JAZZY_SESSION_UPGRADE_H

#include <stdbool.h>

#include "codec/accept_key.h"
#include "codec/request_head.h"
#include "session/buffer.h"
#include "session/deflate_agreement.h"

/* What the server answers. */
typedef struct jz_upgrade {
    int status;                            /* 101, or the HTTP status that refuses it: 400, 405 or 426 */
    const char *fault;                     /* if it is refused: which rule was broken, and what was expected; static */
    char accept_key[JZ_ACCEPT_KEY_LENGTH]; /* like the agreement, only with status 101 */
    jz_deflate_agreement deflate;
    jz_text subprotocol;     /* that was agreed on; empty: none. The caller chooses it and fills it in. */
    jz_text further_headers; /* of the application: whole lines with CR LF */
} jz_upgrade;

/* Whether the request asks for the WebSocket protocol at all. */
bool jz_upgrade_is_requested(const jz_request_head *head);

/* Checks a request for a WebSocket (RFC 6455 §4.2.1), and negotiates compression as the options allow. */
jz_upgrade jz_upgrade_judge(const jz_request_head *head, const jz_deflate_options *deflate);

/* Appends the answer to a request that was accepted (§4.2.2, item 5). False when there is no memory. */
bool jz_upgrade_append_response(const jz_upgrade *upgrade, jz_buffer *output);

#endif
