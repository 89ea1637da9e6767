/* Whether bytes are UTF-8 (RFC 3629 §4): what comes from Redis goes to clients as text. */
#ifndef JAZZY_REDIS_ENVELOPE_UTF8_H
#define JAZZY_REDIS_ENVELOPE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool jz_redis_is_utf8(const uint8_t *bytes, size_t length);

#endif
