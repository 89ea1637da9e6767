/* Cookies that a client sends (RFC 6265 §4.2.1, §5.4). */
#ifndef JAZZY_CODEC_COOKIE_H
#define JAZZY_CODEC_COOKIE_H

#include <stdbool.h>

#include "codec/request_head.h"

/*
 * Finds the first cookie of that name, which is compared byte by byte, over all Cookie lines. Its value is as it was
 * sent, but without white space and without double quotes around it. Of several with one name a client sends the one
 * with the longest path first (§5.4).
 */
bool jz_cookie_find(const jz_request_head *head, jz_text name, jz_text *value);

#endif
