/*
 * A simple decompressor for permessage-deflate (RFC 7692 §7.2.2): every message uses a new zlib stream with the history
 * set, while the library keeps streams and buffers between messages.
 */
#ifndef JAZZY_FUZZ_REFERENCE_INFLATE_H
#define JAZZY_FUZZ_REFERENCE_INFLATE_H

#include "session/buffer.h"

typedef enum reference_inflate_result {
    REFERENCE_INFLATED,
    REFERENCE_NOT_DEFLATE, /* no compressor can have sent it */
    REFERENCE_TOO_LARGE    /* it has more bytes than the limit */
} reference_inflate_result;

typedef struct reference_inflate {
    uint8_t window_bits; /* 9 to 15 */
    bool keeps_context;

    /*
     * Bytes of output at a time. zlib refuses references beyond the window only where they lead out of the piece that
     * it is writing: 1 is as strict as can be, SIZE_MAX is as generous.
     */
    size_t piece;
    jz_buffer history; /* the end of all messages so far, where the context is kept */
    bool is_of_codes;  /* the last message was refused because of a block's codes, which are too many or too few */
} reference_inflate;

/* Decompresses a message in place of what `output` held. After anything but REFERENCE_INFLATED nothing may follow. */
reference_inflate_result reference_inflate_message(reference_inflate *inflate, const uint8_t *bytes, size_t length,
                                                   size_t limit, jz_buffer *output);

void reference_inflate_free(reference_inflate *inflate);

#endif
