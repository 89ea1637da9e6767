/*
 * Origins of web pages (RFC 6454), as browsers send them in a handshake (RFC 6455 §4.1, item 8). A browser lets any
 * page open a WebSocket to any server, and sends the server's cookies along: only the origin says whose page it is (RFC
 * 6455 §10.2).
 */
#ifndef JAZZY_CODEC_ORIGIN_H
#define JAZZY_CODEC_ORIGIN_H

#include <stdbool.h>

#include "codec/text.h"

/*
 * Whether a text is an origin (RFC 6454 §7): a scheme, "://", a host and perhaps a port; nothing behind it, not even a
 * slash. The host is an IPv6 address in brackets, or has only letters, digits, '-', '.', '_' and '~'. RFC 3986 §3.2.2
 * allows more, but no host has that; so '*' is refused instead of being taken for a wildcard. "null" is no origin.
 */
bool jz_origin_is_valid(jz_text origin);

/*
 * Whether two origins are the same (RFC 6454 §5): scheme and host, ignoring case, and the port, by default that of the
 * scheme. A text that is no origin equals nothing, not even itself.
 */
bool jz_origin_is_same(jz_text a, jz_text b);

/*
 * Whether an origin has the same host and port as a Host header (RFC 9110 §7.2): then the page came from the server
 * that it now talks to. If Host has no port, the default port of the origin's scheme counts, which must be http, https,
 * ws or wss. If the host was reached securely, as far as is known, the scheme must be https or wss, too: a page that
 * came without TLS may be anybody's, who could use a WebSocket with the client's cookies. Otherwise schemes are not
 * compared: behind a proxy that terminates TLS the server may not know its own scheme.
 */
bool jz_origin_is_of_host(jz_text origin, jz_text host, bool is_secure);

/*
 * Whether a text may be in a list of allowed origins: origins, and "null" and "file://", which some browsers send for
 * pages without an origin, such as files (RFC 6454 §4, §6.2).
 */
bool jz_origin_may_be_listed(jz_text text);

/* Whether an origin matches a listed text: it is the same origin, or literally "null" or "file://". */
bool jz_origin_is_as_listed(jz_text origin, jz_text listed);

#endif
