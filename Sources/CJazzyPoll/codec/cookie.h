/* Cookies that a client sends (RFC 6265 §4.2.1, §5.4). */
#ifndef JAZZY_CODEC_COOKIE_H
#define JAZZY_CODEC_COOKIE_H

#include <stdbool.h>

#include "codec/request_head.h"

/*
 * Finds the first cookie of that name, compared byte by byte, in all Cookie lines. The value is as sent, but without
 * white space and double quotes around it. Of several cookies with one name a client sends the one with the longest
 * path first (§5.4).
 */
bool jz_cookie_find(const jz_request_head *head, jz_text name, jz_text *value);

#endif
