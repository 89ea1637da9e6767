/*
 * Origins of web pages (RFC 6454), as browsers name them in a handshake (RFC 6455 §4.1, item 8). A browser lets any
 * page open a WebSocket to any server and sends its cookies along: only the origin tells whose page it is (RFC 6455
 * §10.2).
 */
#ifndef JAZZY_CODEC_ORIGIN_H
#define JAZZY_CODEC_ORIGIN_H

#include <stdbool.h>

#include "codec/text.h"

/*
 * Whether a text is an origin (RFC 6454 §7): a scheme, "://", a host and perhaps a port; nothing behind it, not even a
 * slash. The host is an IPv6 address in brackets, or of letters, digits, '-', '.', '_' and '~': that leaves out what
 * RFC 3986 §3.2.2 would allow and no host has, so that a '*' is refused and not taken for a wildcard. "null" is none.
 */
bool jz_origin_is_valid(jz_text origin);

/*
 * Whether two origins are the same (RFC 6454 §5): scheme and host in any case, and the port, where it is left out that
 * of the scheme if it has one. What is no origin is the same as nothing, itself included.
 */
bool jz_origin_is_same(jz_text a, jz_text b);

/*
 * Whether an origin has the host and the port that a Host header (RFC 9110 §7.2) has: the page came from the server
 * that it now talks to. A port that Host leaves out is that of the origin's scheme, which has to be http, https, ws or
 * wss. The scheme itself is not compared: behind a proxy that ends TLS the server does not know its own.
 */
bool jz_origin_is_of_host(jz_text origin, jz_text host);

/*
 * Whether a text may be listed among origins: those, and "null" and "file://", which some send for pages that have none
 * of their own, such as files (RFC 6454 §4, §6.2).
 */
bool jz_origin_may_be_listed(jz_text text);

/* Whether an origin is the one listed, or is one of those two as it is. */
bool jz_origin_is_as_listed(jz_text origin, jz_text listed);

#endif
