/* The socket, and how OpenSSL sees it in a handshake: as a BIO that all channels of a loop share. */
#ifndef JAZZY_TLS_CHANNEL_CIPHERTEXT_H
#define JAZZY_TLS_CHANNEL_CIPHERTEXT_H

#include "channel/loop.h"

BIO_METHOD *jz_tls_ciphertext_method(void);
BIO *jz_tls_ciphertext_bio(BIO_METHOD *method, jz_tls_loop *loop);

/*
 * Reads from the current channel's socket. 0: nothing now, and the loop is drained; the channel's flags say whether
 * that is because it has ended or broken.
 */
size_t jz_tls_read_socket(jz_tls_loop *loop, void *bytes, size_t capacity);

/* Reads what OpenSSL takes in parts, in a handshake: it asks for a header, then for the rest of its record. */
void jz_tls_fetch(jz_tls_loop *loop);

/*
 * Reads what is there, and throws it away, before the socket is closed: with unread bytes that would reset the
 * connection, and the peer could lose what it has not received yet, such as our alert.
 */
void jz_tls_discard(jz_tls_loop *loop);

/* Sends what was gathered for the current channel by one system call, and keeps the rest. */
void jz_tls_send_gathered(jz_tls_loop *loop);

/* The same, where the server shuts the socket down next: the kernel waits for that, and needs one packet less. */
void jz_tls_send_gathered_before_end(jz_tls_loop *loop);

/* As much as the kernel takes now. If the connection is lost, that is noted. */
size_t jz_tls_write_socket(jz_tls_channel *channel, const uint8_t *bytes, size_t length);

#endif
