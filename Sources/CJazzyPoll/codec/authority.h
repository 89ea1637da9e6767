/* Hosts and ports, as Host and the target of a request name them (RFC 9110 §7.2, RFC 3986 §3.2). */
#ifndef JAZZY_CODEC_AUTHORITY_H
#define JAZZY_CODEC_AUTHORITY_H

#include <stdbool.h>

#include "codec/text.h"

/*
 * Whether a text is uri-host [ ":" port ] (RFC 9110 §7.2) with a host that is not empty, which http, https, ws and wss
 * all want (RFC 9110 §4.2.1): a name, an IPv4 address, or an IPv6 or future address in brackets (RFC 3986 §3.2.2).
 * A port has digits, of which there may be none (§3.2.3). There is no userinfo: a Host never has one, and that of a
 * target would be there to deceive (RFC 9110 §4.2.4).
 */
bool jz_authority_is_valid(jz_text text);

#endif
