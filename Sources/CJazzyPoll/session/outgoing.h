/* Frames to be sent, appended to a buffer. */
#ifndef JAZZY_SESSION_OUTGOING_H
#define JAZZY_SESSION_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* Appends one unfragmented, unmasked frame. False when there is no memory: nothing was appended. */
bool jz_append_frame(jz_buffer *output, uint8_t opcode, uint8_t reserved, const void *payload, size_t length);

/*
 * Appends a close frame. JZ_CLOSE_NO_STATUS makes it one without a payload. A reason longer than the 123 bytes that fit
 * is cut at the end of a character. False when there is no memory.
 */
bool jz_append_close_frame(jz_buffer *output, uint16_t code, const char *reason, size_t reason_length);

#endif
