/*
 * What connections travel on, where that is more than a socket: TLS, for instance. Not part of jazzy.h, for who writes
 * handlers needs none of it; who brings a transport includes this as well.
 *
 * A transport is a table of functions. It stands between the server and the sockets of a listener (jz_listen_options in
 * server.h): for every connection that comes from there it makes a *channel*, through which the server receives and
 * sends from then on. The descriptor stays the server's: it watches it, as the channel wants it, and closes it; the
 * channel reads and writes it, and nothing else does meanwhile. It does not block (O_NONBLOCK).
 *
 * How the server uses a channel
 *
 *     open      when the connection was accepted, on the loop that keeps it
 *     ready     whenever the descriptor is ready for what `interest` has said. Until it has first told that the server
 *               may go on, the channel makes its own handshake (that of TLS): nothing else but `interest`, `failure`
 *               and `close` is called, and the server's handshake time-out runs
 *     receive   when `ready` has told so, and further as long as that says that it has more
 *     send      at any time once `ready` has told that the server may go on: there is no need to be ready for it
 *     interest  after any of these, before the server waits
 *     close     last, once, whatever has happened before
 *
 * Rules for all of it
 *   - The table is constant and, like the context, outlives every server that listens with it.
 *   - A channel belongs to one loop. All calls for it come from that loop's thread, one at a time; calls for other
 *     channels of the same context may come from other threads meanwhile.
 *   - Nothing here may wait, call a function of this library but those below, or keep an address that it was given
 *     beyond its return.
 *   - The server's limits and time-outs hold for a channel as they do for a socket. What it has taken it has passed on:
 *     bytes that `send` has accepted lie in the kernel, or are at least on their way without further calls. So
 *     backpressure counts what it should, and nothing is lost when the connection ends in order.
 *   - After JZ_LOST or JZ_IO_BROKEN only `failure` and `close` are called; after JZ_IO_ENDED `receive` is not.
 */
#ifndef JAZZY_TRANSPORT_H
#define JAZZY_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

JZ_BEGIN_DECLARATIONS

/* What a descriptor is watched for and ready for, and what the server wants of a channel and may do with it. */
enum {
    JZ_READABLE = 1, /* data, the end of the stream, or an error waits to be received */
    JZ_WRITABLE = 2,
    JZ_LOST = 4 /* from `ready` only: the connection is of no use any more */
};

/* A piece of what is to be sent. */
typedef struct jz_piece {
    const uint8_t *bytes;
    size_t length; /* at least 1 */
} jz_piece;

enum { JZ_MOST_PIECES = 1024 }; /* of one call: IOV_MAX of Linux and the BSDs */

/* What has come of receiving or sending. */
typedef enum jz_io {
    JZ_IO_OK,
    JZ_IO_WOULD_BLOCK, /* not now: the server waits for what `interest` says */
    JZ_IO_ENDED,       /* `receive`: the peer will send no more, and has said so */
    JZ_IO_BROKEN       /* the connection is lost */
} jz_io;

typedef struct jz_transport {
    /*
     * Makes the channel of a connection. `context` is the listener's. `early` are bytes that have come already and were
     * read with a PROXY header, before what the descriptor still has; mostly there are none. They are borrowed: copy
     * them. Where there are some, `ready` is called soon, whether the descriptor is or not.
     *
     * Returns the channel, never NULL but where there is no memory: then the connection is ended, which is counted and
     * logged, and nothing more is called for it. Nothing has to be sent or received here; a failure of anything but
     * memory is told by the first `ready`.
     */
    void *(*open)(void *context, int descriptor, const uint8_t *early, size_t early_length);

    /*
     * What the descriptor is to be watched for, where the server wants `wanted`: JZ_READABLE, JZ_WRITABLE, both, or 0
     * for nothing for now. Mostly that is `wanted`. But a handshake may have to write before anything can be read, and
     * bytes that the channel has to get rid of want JZ_WRITABLE, whatever the server wants. While nothing is wanted,
     * JZ_READABLE is best not answered: what waits there would be told again and again.
     */
    unsigned (*interest)(void *channel, unsigned wanted);

    /*
     * The descriptor is ready: for `what`, JZ_READABLE, JZ_WRITABLE or both (both, too, where the connection broke, or
     * was hung up). The place where a handshake goes on, as far as it goes without waiting. A loop lets few of them go
     * on in each of its turns, for they cost much; the others are called in the turns that follow.
     *
     * Returns what the server may do now: JZ_READABLE, `receive`; JZ_WRITABLE, `send` what waits. 0: nothing, the
     * channel was busy with itself. JZ_LOST: the connection is lost, as where a handshake fails. The server bears in
     * mind what it may receive and does not want yet, as of a connection that is paused: it need not be told again.
     */
    unsigned (*ready)(void *channel, unsigned what);

    /*
     * Receives up to `capacity` bytes (at least 4,096) to `bytes`, and says how many in `received`. As many as there
     * are: each call costs the server much more than a byte. The memory is the loop's receive buffer, and of one
     * message after the other: decrypt to it, and not behind what was received.
     *
     * OK: at least 1 byte. `has_more`, which is false at first, has to be set where the channel has, or may have,
     * further bytes, or the end, of which the readiness of the descriptor will not tell, because they were read from
     * there already: then this is called again in this turn of the loop or in the next one, which does not wait, or
     * once the server reads on after a pause. Where there was nothing after all: WOULD_BLOCK.
     *
     * ENDED: as TLS's close_notify. A peer that has just closed its socket has ended, too, unless the channel cannot be
     * sure that all of it has come: that is BROKEN. What is sent to it still is.
     */
    jz_io (*receive)(void *channel, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more);

    /*
     * Sends `count` pieces, 0 to JZ_MOST_PIECES, in their order, and says how many bytes of them are taken in `sent`,
     * which is 0 at first. They are borrowed, and not to be changed. Join small ones where each send costs something:
     * a message comes as header and payload, which had better be one record of TLS (jz_pieces_join).
     *
     * OK: all, or as many as could be; fewer than there are, or WOULD_BLOCK, which may have taken some too: the rest
     * comes again when `ready` has told JZ_WRITABLE. Then the same bytes come first and no fewer of them, but from
     * elsewhere and in other pieces (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER). A byte of which the kernel has taken a part
     * of what it became, such as half a record, is not taken: it is when the rest has gone, in a later call.
     *
     * `is_last`: nothing will be sent behind these bytes. When all are taken the channel tells the peer so
     * (close_notify); OK, with all bytes taken, says that this has gone, too. Then nothing is sent any more, and the
     * server ends the sending side of the descriptor (SHUT_WR). WOULD_BLOCK: it is called again, `is_last`, with what
     * is left, even if that is nothing. A connection that is ended otherwise, as by a time-out, does without.
     */
    jz_io (*send)(void *channel, const jz_piece *pieces, size_t count, bool is_last, size_t *sent);

    /*
     * What was agreed on in the channel's handshake to be spoken, as by ALPN (RFC 7301); NULL: nothing was. Asked when
     * `ready` first tells that the server may go on. Anything but "http/1.1" and "http/1.0" ends the connection, for
     * that is what is spoken here, and is asked for once more, for a line in the log. Borrowed until the next call. The
     * entry may be NULL.
     */
    const char *(*protocol)(void *channel);

    /*
     * Why the connection is lost, for the log: a clause such as "certificate expired", of any bytes. Asked once, after
     * JZ_LOST or BROKEN. NULL: as where a peer is simply gone, which is no line in the log. Borrowed until `close`. The
     * entry may be NULL.
     */
    const char *(*failure)(void *channel);

    /* Frees the channel. It sends nothing, and leaves the descriptor open, which the server closes then. */
    void (*close)(void *channel);
} jz_transport;

/*
 * Copies what lies in pieces behind their first `skipped` bytes, in order, to `bytes`, as far as there are any, and
 * room. Returns how many were copied. From any thread.
 */
JZ_PUBLIC size_t jz_pieces_join(const jz_piece *pieces, size_t count, size_t skipped, uint8_t *bytes, size_t capacity);

JZ_END_DECLARATIONS

#endif
