/* The content of messages: bytes that a number determines, so that the number is enough to check any part. */
#ifndef JAZZY_DRIVER_CONTENT_H
#define JAZZY_DRIVER_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/* Letters, digits and spaces, so that any part is text; by the number they repeat themselves more or less. */
void content_fill(uint8_t *bytes, size_t length, uint32_t number);

/* Tells contents apart. */
uint64_t content_hash(const uint8_t *bytes, size_t length);

/* The same for the first `length` bytes of a number's. */
uint64_t content_hash_of(uint32_t number, size_t length);

#endif
