/* What the channels of one loop share: its thread's own, so that nothing here is locked. */
#ifndef JAZZY_TLS_CHANNEL_LOOP_H
#define JAZZY_TLS_CHANNEL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

enum {
    JZ_TLS_MOST_GATHERED = 8 * (16 * 1024 + 512), /* bytes: eight full records */
    JZ_TLS_MOST_SCRATCH = 17 * 1024,
    JZ_TLS_MOST_FETCHED = 256 * 1024
};

typedef struct jz_tls_channel jz_tls_channel;

/* How many encrypted records there are in a stream, wherever it is cut. */
typedef struct jz_tls_outline {
    size_t rest; /* of the present record */
    uint64_t encrypted;
    uint8_t header[5];
    uint8_t header_length;
} jz_tls_outline;

typedef struct jz_tls_loop {
    /* Of all its channels: reads and writes the socket of the current one (ciphertext.c). */
    BIO *bio;
    BIO_METHOD *method;
    jz_tls_channel *current;

    /* In this call: */
    size_t receivable; /* bytes of ciphertext that may still be read */
    bool is_drained;   /* there is nothing more to read for now */
    bool is_blocked;   /* OpenSSL wanted more than there is */

    size_t fetched_start; /* of a handshake: what OpenSSL has not read yet */
    size_t fetched_end;

    jz_tls_outline outline; /* of what OpenSSL writes in this call */

    size_t channel_count;
    bool has_ended; /* its thread has: the last channel frees it */

    size_t gathered_length;
    uint8_t gathered[JZ_TLS_MOST_GATHERED];
    uint8_t fetched[JZ_TLS_MOST_FETCHED];
    uint8_t scratch[JZ_TLS_MOST_SCRATCH]; /* one record's data; and what is thrown away */
} jz_tls_loop;

/* The calling thread's, for one more channel; NULL: no memory. */
jz_tls_loop *jz_tls_loop_join(void);

/* A channel has gone. */
void jz_tls_loop_leave(jz_tls_loop *loop);

#endif
