/* The subprotocols that a client offers, and which of them the server speaks (RFC 6455 §1.9, §4.1, §4.2.2). */
#ifndef JAZZY_SESSION_SUBPROTOCOL_H
#define JAZZY_SESSION_SUBPROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/request_head.h"

/* The most that one request may offer: to find duplicates, each is compared with each other. */
enum { JZ_MAX_SUBPROTOCOLS = 64 };

/*
 * Whether a request offers none, or a list of distinct tokens (RFC 6455 §4.1, item 10), perhaps in several lines
 * (§11.3.4). Empty elements are ignored (RFC 9110 §5.6.1.2), so that an empty header, which some clients send for an
 * empty list, offers none.
 */
bool jz_subprotocols_are_valid(const jz_request_head *head);

/*
 * Iterates over the offered subprotocols in the client's order. `*position` is 0 at first, and is advanced. False at
 * the end.
 */
bool jz_subprotocol_next(const jz_request_head *head, size_t *position, jz_text *offered);

/* Whether the client offers it. Case matters. */
bool jz_subprotocol_is_offered(const jz_request_head *head, jz_text subprotocol);

/* The index of the first of the server's preferences that the client offers; `count` if there is none. */
size_t jz_subprotocol_choose(const jz_request_head *head, const char *const *preferred, size_t count);

#endif
