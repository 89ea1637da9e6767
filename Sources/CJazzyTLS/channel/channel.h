/*
 * channel/: the transport: handshakes, bytes in and out of records, what a loop shares among its channels. Not here:
 * certificates, options.
 *
 * OpenSSL makes the handshake. Its SSL is freed then, and records are ours (records/): they are read into a buffer of
 * the loop, and decrypted from there into the loop's receive buffer. What the kernel does not take of the output at
 * once is kept as the channel's backlog (backlog.h), in the handshake, too: so OpenSSL waits for nothing but the peer's
 * bytes, and of errors sees only those of the protocol.
 */
#ifndef JAZZY_TLS_CHANNEL_CHANNEL_H
#define JAZZY_TLS_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/loop.h"
#include "contexts/contexts.h"
#include "jazzy/transport.h"
#include "records/records.h"

typedef struct jz_tls_backlog jz_tls_backlog;
typedef struct jz_tls_kept jz_tls_kept;   /* input.h */
typedef struct jz_tls_spill jz_tls_spill; /* input.h */
typedef struct jz_tls_held jz_tls_held;   /* tickets.h */

typedef enum jz_tls_phase {
    JZ_TLS_PHASE_SILENT, /* nothing has come: there is no SSL yet, which takes a hundred times as much memory */
    JZ_TLS_PHASE_HANDSHAKE,
    JZ_TLS_PHASE_OPEN,
    JZ_TLS_PHASE_STRANGER /* it spoke plain HTTP, and was told what is wrong */
} jz_tls_phase;

/* What the server read behind a PROXY header, and OpenSSL has not. */
typedef struct jz_tls_early {
    size_t taken;
    size_t length;
    uint8_t bytes[];
} jz_tls_early;

enum { JZ_TLS_MESSAGE_HEADER = 4, JZ_TLS_KEY_UPDATE = 5 /* bytes */ };

typedef struct jz_tls_channel {
    SSL *ssl; /* only during the handshake */
    jz_tls_loop *loop;
    jz_tls *tls;
    jz_tls_generation *generation; /* only during the handshake */
    jz_tls_secrets *secrets;       /* only during the handshake */
    jz_tls_records *records;       /* after it */
    jz_tls_facts *facts;           /* after it */
    jz_tls_early *early;           /* NULL: none */
    jz_tls_kept *kept;             /* ciphertext that was read, and is not decrypted yet; NULL: none */
    jz_tls_spill *spill;           /* data that the server had no room for; NULL: none */
    jz_tls_held *held;             /* tickets that go out with the first answer; NULL: they have */
    jz_tls_backlog *backlog;       /* NULL: the kernel has taken everything */
    char *why;                     /* the cause of its loss, for the log; NULL: none */
    int descriptor;
    /* Of the bytes that come next to `send`, so many are encrypted already: in the backlog, or `accepted` of them in
       the kernel, since the last call. */
    uint32_t encrypted;
    uint32_t accepted;
    uint32_t volume;                    /* bytes received since `messages` was 0 */
    uint32_t drained;                   /* bytes of a stranger that were read and thrown away */
    uint32_t skipped;                   /* bytes of a message that are still to come, and to be skipped */
    uint16_t messages;                  /* of the protocol itself, such as key updates */
    uint8_t message[JZ_TLS_KEY_UPDATE]; /* one that has not come as a whole */
    uint8_t message_length;
    uint8_t empty_records; /* in succession */
    uint8_t outcome;    /* jz_io: ENDED or BROKEN where that was found behind data, and is told by the next `receive` */
    uint8_t phase;      /* jz_tls_phase */
    bool has_ended : 1; /* the socket's end was read */
    bool is_broken : 1; /* the socket, or there is no memory */
    bool is_stalled : 1; /* not read from before the peer takes what it was answered */
    bool has_told_end : 1;
    bool may_have_input : 1; /* the socket: nothing has found its end since the poll said that there is some */
} jz_tls_channel;

/* Before anything else: the loop works for this channel now. */
static inline jz_tls_loop *jz_tls_enter(jz_tls_channel *channel)
{
    channel->loop->current = channel;
    return channel->loop;
}

/* --- handshake.c --- */

/* Goes on with the handshake, from the first byte. As jz_transport's `ready`. */
unsigned jz_tls_shake_hands(jz_tls_channel *channel);

/* Erases what the handshake has derived; does nothing where that is not there. */
void jz_tls_forget_secrets(jz_tls_channel *channel);

/* --- stranger.c --- */

/* The first byte belongs to no TLS. Returns as `ready`. */
unsigned jz_tls_meet_stranger(jz_tls_channel *channel, uint8_t first);
unsigned jz_tls_dismiss_stranger(jz_tls_channel *channel);

/* --- receiving.c, sending.c --- */

jz_io jz_tls_receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more);
jz_io jz_tls_send(void *opaque, const jz_piece *pieces, size_t count, bool is_last, size_t *sent);

/* Encrypts one record behind what is gathered, which has room for it. False: that failed, and the channel is broken. */
bool jz_tls_gather_record(jz_tls_channel *channel, jz_tls_type type, const jz_piece *pieces, size_t offset,
                          size_t length);

/* --- failure.c --- */

/* Notes why the channel is lost, by OpenSSL's errors, which are cleared, or by a text. The first cause counts. */
void jz_tls_note_failure(jz_tls_channel *channel);
void jz_tls_blame(jz_tls_channel *channel, const char *why);

#endif
