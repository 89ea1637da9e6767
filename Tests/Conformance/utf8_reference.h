/*
 * UTF-8 from its definition (RFC 3629 §3), to compare with: which code points a byte sequence can still become, rather
 * than which bytes may follow which.
 */
#ifndef JAZZY_CONFORMANCE_UTF8_REFERENCE_H
#define JAZZY_CONFORMANCE_UTF8_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes a code point, which need not be one that UTF-8 allows, in so many bytes as its value takes. Returns these. */
size_t reference_utf8_encode(uint32_t code_point, uint8_t bytes[4]);

/* The position of the first byte with which no text can begin that begins like this; `length` where there is none. */
size_t reference_utf8_first_impossible(const uint8_t *bytes, size_t length);

#endif
