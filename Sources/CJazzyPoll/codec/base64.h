/* Base64 with padding (RFC 4648 §4). */
#ifndef JAZZY_CODEC_BASE64_H
#define JAZZY_CODEC_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* The digits, by their values. */
extern const char jz_base64_digits[65];

/* How long the text of so many bytes is; at most a quarter of SIZE_MAX of them. */
static inline size_t jz_base64_length(size_t length)
{
    return (length + 2) / 3 * 4;
}

/* Writes the text, without a NUL. */
void jz_base64_encode(const uint8_t *bytes, size_t length, char *text);

#endif
