/*
 * The header in which a proxy names the client, before the first byte of the connection that it passes on ("The PROXY
 * protocol, versions 1 & 2", W. Tarreau).
 */
#ifndef JAZZY_CODEC_PROXY_HEADER_H
#define JAZZY_CODEC_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"

enum { JZ_MAX_PROXY_HEADER = 4096 }; /* bytes, skipped fields included; the protocol would allow 64 KiB */

typedef enum jz_proxy_header_result {
    JZ_PROXY_HEADER_COMPLETE,
    JZ_PROXY_HEADER_INCOMPLETE,
    JZ_PROXY_HEADER_MALFORMED
} jz_proxy_header_result;

typedef struct jz_proxy_header {
    size_t length;     /* bytes of the header; the client's own bytes follow */
    bool names_source; /* else the TCP peer counts: the connection is the proxy's own, or not TCP over IP */
    jz_address source; /* all zero unless named */
    bool is_secure;    /* a field of version 2 says that the client speaks TLS to the proxy (§2.2.6) */
} jz_proxy_header;

/*
 * Reads the header from the first `length` bytes, of either version. COMPLETE when its last byte is there, and not
 * before. MALFORMED as soon as a byte is impossible, or a field that has ended is wrong, so that a peer with another
 * protocol is not waited for. Fills in `header` only when COMPLETE.
 */
jz_proxy_header_result jz_proxy_header_parse(const uint8_t *bytes, size_t length, jz_proxy_header *header);

#endif
