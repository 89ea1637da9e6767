/*
 * What a proxy says of the connection that it passes on, before the first byte of that ("The PROXY protocol, versions 1
 * & 2", W. Tarreau).
 */
#ifndef JAZZY_CODEC_PROXY_HEADER_H
#define JAZZY_CODEC_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"

enum { JZ_MAX_PROXY_HEADER = 4096 }; /* bytes, all that is skipped included; the protocol would allow 64 KiB */

typedef enum jz_proxy_header_result {
    JZ_PROXY_HEADER_COMPLETE,
    JZ_PROXY_HEADER_INCOMPLETE,
    JZ_PROXY_HEADER_MALFORMED
} jz_proxy_header_result;

typedef struct jz_proxy_header {
    size_t length;     /* bytes that the header takes; what is passed on follows them */
    bool names_source; /* otherwise the connection's own peer counts: it is the proxy's own, or of no TCP over IP */
    jz_address source; /* all zero unless named */
} jz_proxy_header;

/*
 * Reads the header from the first `length` bytes, of either version. It is COMPLETE with its last byte, and not before;
 * MALFORMED with the first byte that no header has there, or the end of the first field that is not what it should be,
 * so that nobody is waited for who speaks another protocol. Fills in `header` only when COMPLETE.
 */
jz_proxy_header_result jz_proxy_header_parse(const uint8_t *bytes, size_t length, jz_proxy_header *header);

#endif
