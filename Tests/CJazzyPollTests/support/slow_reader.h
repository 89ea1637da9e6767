/* Reading no more than one is told to, so that the rest waits in the kernels and with the server. */
#ifndef JAZZY_TESTS_SLOW_READER_H
#define JAZZY_TESTS_SLOW_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"

enum { SLOW_READER_BUFFER = 4096 }; /* bytes: of its kernel, so that it tells of every few that are taken */

/* Byte `position` of what is sent to slow readers. */
static inline uint8_t slow_reader_byte(size_t position)
{
    return (uint8_t)(position % 251);
}

/* A message of so many of these bytes, which the caller frees. */
uint8_t *slow_reader_message(size_t length);

/* Reads a frame header of `length` bytes. */
bool slow_reader_skip(test_client *client, size_t length);

/* Reads so many bytes, which have to be those from `position` on. */
bool slow_reader_take(test_client *client, size_t position, size_t length);

/* The same in pieces, about `rate` bytes a second. */
bool slow_reader_take_slowly(test_client *client, size_t position, size_t length, size_t rate);

#endif
