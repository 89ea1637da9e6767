/*
 * Frames for tests, written down field by field: valid ones from the macros, others with any field as a test wants it.
 *
 *     TEXT("Hello")                                               a whole message
 *     TEXT_START("Hel"), CONTINUATION("l"), LAST("o")             a message in three fragments
 *     BINARY_OF(REPEATED("ab", 65536))                            65,536 bytes, "ababab…"
 *     CLOSE(1000, "bye"), CLOSE_WITHOUT_CODE                      close frames
 *     PART_OF(JZ_OPCODE_TEXT, 100, "Hel")                         a frame that is not finished
 *     {.opcode = 3, .fin = true, .payload = BYTES("x")}           anything
 *     RAW("\x81\x05Hello")                                        these very bytes
 *
 * Literals may hold NUL.
 */
#ifndef JAZZY_TESTS_FRAME_H
#define JAZZY_TESTS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/frame_header.h"
#include "session/buffer.h"

/* A pattern, repeated and cut to `total` bytes. */
typedef struct test_bytes {
    const char *pattern;
    size_t pattern_length;
    size_t total;
} test_bytes;

#define BYTES(literal)                                                                                                 \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1, sizeof(literal) - 1                                                            \
    }
#define REPEATED(literal, count)                                                                                       \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1, (count)                                                                        \
    }

typedef enum test_masking {
    MASKED_AS_REQUIRED, /* from a client, not from a server (RFC 6455 §5.1) */
    NEVER_MASKED,
    MASKED_WITH_ITS_KEY
} test_masking;

typedef enum test_length_form { SHORTEST_LENGTH, LENGTH_OF_16_BITS, LENGTH_OF_64_BITS } test_length_form;

typedef struct test_frame {
    bool fin;
    uint8_t reserved; /* JZ_RSV1 and so on */
    uint8_t opcode;
    test_masking masking;
    uint8_t key[4]; /* for MASKED_WITH_ITS_KEY */
    test_length_form length_form;
    uint64_t claimed_length; /* if not 0, the length in the header, regardless of the payload */
    uint16_t close_code;     /* where not 0, two bytes before the payload */
    test_bytes payload;
    bool is_raw; /* nothing but the payload's bytes, as they are */
} test_frame;

typedef struct test_frames {
    const test_frame *first;
    size_t count;
} test_frames;

#define FRAMES(...)                                                                                                    \
    {                                                                                                                  \
        (const test_frame[]){__VA_ARGS__}, sizeof((const test_frame[]){__VA_ARGS__}) / sizeof(test_frame)              \
    }

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(literal)                                               \
    }
#define TEXT_OF(...)                                                                                                   \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_TEXT, .payload = __VA_ARGS__                                                  \
    }
#define TEXT_START(literal)                                                                                            \
    {                                                                                                                  \
        .opcode = JZ_OPCODE_TEXT, .payload = BYTES(literal)                                                            \
    }
#define BINARY(literal)                                                                                                \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = BYTES(literal)                                             \
    }
#define BINARY_OF(...)                                                                                                 \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = __VA_ARGS__                                                \
    }
#define BINARY_START(literal)                                                                                          \
    {                                                                                                                  \
        .opcode = JZ_OPCODE_BINARY, .payload = BYTES(literal)                                                          \
    }
#define CONTINUATION(literal)                                                                                          \
    {                                                                                                                  \
        .opcode = JZ_OPCODE_CONTINUATION, .payload = BYTES(literal)                                                    \
    }
#define LAST(literal)                                                                                                  \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_CONTINUATION, .payload = BYTES(literal)                                       \
    }
#define PING(literal)                                                                                                  \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_PING, .payload = BYTES(literal)                                               \
    }
#define PING_OF(...)                                                                                                   \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_PING, .payload = __VA_ARGS__                                                  \
    }
#define PONG(literal)                                                                                                  \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_PONG, .payload = BYTES(literal)                                               \
    }
#define PONG_OF(...)                                                                                                   \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_PONG, .payload = __VA_ARGS__                                                  \
    }
#define CLOSE(code, reason)                                                                                            \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_CLOSE, .close_code = (code), .payload = BYTES(reason)                         \
    }
#define CLOSE_OF(code, ...)                                                                                            \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_CLOSE, .close_code = (code), .payload = __VA_ARGS__                           \
    }
#define CLOSE_WITHOUT_CODE                                                                                             \
    {                                                                                                                  \
        .fin = true, .opcode = JZ_OPCODE_CLOSE                                                                         \
    }
/* A header that claims a length, and fewer bytes than that, or none. */
#define PART_OF(opcode_, length, literal)                                                                              \
    {                                                                                                                  \
        .fin = true, .opcode = (opcode_), .claimed_length = (length), .payload = BYTES(literal)                        \
    }
#define CLAIM_OF(opcode_, length, form)                                                                                \
    {                                                                                                                  \
        .fin = true, .opcode = (opcode_), .claimed_length = (length), .length_form = (form)                            \
    }
#define RAW(literal)                                                                                                   \
    {                                                                                                                  \
        .is_raw = true, .payload = BYTES(literal)                                                                      \
    }

/* Appends the bytes to a buffer. */
void test_bytes_append(jz_buffer *buffer, test_bytes bytes);

/* Appends the frame as a client sends it, masked with `client_key`, or as a server does where that is NULL. */
void test_frame_append(jz_buffer *buffer, const test_frame *frame, const uint8_t *client_key);

#endif
