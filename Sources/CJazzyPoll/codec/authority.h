/* Hosts and ports, as in the Host header and in the target of a request (RFC 9110 §7.2, RFC 3986 §3.2). */
#ifndef JAZZY_CODEC_AUTHORITY_H
#define JAZZY_CODEC_AUTHORITY_H

#include <stdbool.h>

#include "codec/text.h"

/*
 * Whether a text is uri-host [ ":" port ] (RFC 9110 §7.2) with a non-empty host, as http, https, ws and wss require
 * (RFC 9110 §4.2.1): a name, an IPv4 address, or an IPv6 or future address in brackets (RFC 3986 §3.2.2). A port has
 * zero or more digits (§3.2.3). Userinfo is refused: Host never has it, and in a target it would be there to deceive
 * (RFC 9110 §4.2.4).
 */
bool jz_authority_is_valid(jz_text text);

#endif
