/*
 * What stands between OpenSSL and the sockets of a thread: memory that all its connections share, because one is
 * handled at a time. Records are read from what was received in one piece, and gathered for one piece that is sent.
 */
#ifndef JAZZY_BENCH_TLS_PIPE_H
#define JAZZY_BENCH_TLS_PIPE_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_MOST_PLAINTEXT = 16384 }; /* of a record: RFC 8446 5.1 */

typedef struct tls_pipe {
    BIO *bio;
    const uint8_t *input; /* of the connection that is being handled, as long as it is not decrypted */
    size_t input_length;
    uint8_t *output; /* of that connection, to be sent */
    size_t output_length;
    size_t output_capacity;
    int direct; /* where a record is sent at once instead, as far as the kernel takes it; none if negative */
} tls_pipe;

/* Ends the program if there is no memory. */
void tls_pipe_create(tls_pipe *pipe);

/* Joins a connection to it. */
void tls_pipe_attach(tls_pipe *pipe, SSL *ssl);

/* Makes room for so many bytes behind the output. Ends the program if there is no memory. */
void tls_pipe_reserve(tls_pipe *pipe, size_t length);

#endif
