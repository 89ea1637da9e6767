/* Which close codes may travel in a close frame (RFC 6455 §7.4). */
#ifndef JAZZY_CODEC_CLOSE_CODE_H
#define JAZZY_CODEC_CLOSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * 1000-1003 and 1007-1011 are the RFC's own; 1012-1014 were registered with IANA since; 3000-4999 are for libraries and
 * applications. 1004 is reserved, 1005, 1006 and 1015 are only ever reported, the rest is not defined.
 */
static inline bool jz_close_code_may_be_sent(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

#endif
