/* Counts the messages in a server's output, however it is split, and can compare them with expected ones. */
#ifndef JAZZY_BENCH_FRAME_READER_H
#define JAZZY_BENCH_FRAME_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LONGEST_HEADER = 10 /* of a server's frames, which have no masking key (RFC 6455 §5.2) */ };

/* All zero before the first byte. */
typedef struct frame_reader {
    uint8_t header[LONGEST_HEADER];
    uint8_t header_length;   /* bytes of the header so far */
    bool is_in_payload;      /* the header is complete */
    uint64_t remaining;      /* payload bytes of the frame that are still to come */
    uint64_t message_length; /* payload bytes of the message so far, of all its frames */
    bool has_closed;         /* a close frame came */
    bool is_compressed;      /* the message under way is */
} frame_reader;

/* The expected message. Without a payload, or with compression, only the frames are parsed. */
typedef struct expectation {
    const uint8_t *payload;
    size_t length;
    bool is_compressed; /* it was sent so, and is due so */
    bool is_discarded;  /* without a payload, nor compression or TLS: the kernel may discard what is not parsed */
} expectation;

/* Takes bytes and returns how many data messages they complete. Ends the program when something is not as expected. */
size_t frame_reader_take(frame_reader *reader, const uint8_t *bytes, size_t length, const expectation *expected);

/* So many bytes of a payload, at most those that are still to come, were discarded. Returns what frame_reader_take has.
 */
size_t frame_reader_skip(frame_reader *reader, size_t length, const expectation *expected);

#endif
