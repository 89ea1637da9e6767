/* Which close codes may travel in a close frame (RFC 6455 §7.4). */
#ifndef JAZZY_CODEC_CLOSE_CODE_H
#define JAZZY_CODEC_CLOSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * 1000-1003 and 1007-1011 are the RFC's; 1012-1014 were registered with IANA later; 3000-4999 are for libraries and
 * applications. 1004 is reserved; 1005, 1006 and 1015 are only reported, never sent; the others are not defined.
 */
static inline bool jz_close_code_may_be_sent(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/*
 * The code to send when an application closes with `code`. Usually the same; 1005 (no code) stands for an empty close
 * frame. Codes that are only reported become the nearest one that may be sent: 1006 (connection lost) becomes 1001
 * (going away), 1015 (TLS failed) becomes 1011 (unexpected condition). 0: there is no such code.
 */
static inline uint16_t jz_close_code_to_send(uint16_t code)
{
    switch (code) {
    case 1005:
        return 1005;
    case 1006:
        return 1001;
    case 1015:
        return 1011;
    default:
        return jz_close_code_may_be_sent(code) ? code : 0;
    }
}

#endif
