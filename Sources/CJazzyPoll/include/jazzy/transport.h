/*
 * Transports: layers between connections and their sockets, such as TLS. This header is for those who write a
 * transport. It is not part of jazzy.h.
 *
 * A transport is a table of functions between the server and the sockets of a listener (jz_listen_options in server.h).
 * For every connection of that listener it creates a *channel*, through which the server receives and sends from then
 * on. The server owns the descriptor: it watches it, as the channel requires, and closes it; only the channel reads and
 * writes it meanwhile. The descriptor is non-blocking (O_NONBLOCK).
 *
 * A connection that was given to the server (jz_server_adopt in server.h) may have a transport, too. Then the
 * descriptor need not be a socket: a channel whose bytes are in memory has, for instance, a pipe, or an eventfd, by
 * which it lets itself be called. Nobody hangs up an eventfd: if its peer can go while the server wants nothing, such a
 * channel watches it all the same, takes what it says, and returns JZ_LOST.
 *
 * How the server uses a channel
 *
 *     open      when the connection was accepted, on the loop that keeps it
 *     ready     whenever the descriptor is ready for what `interest` has returned. Until it has first returned that the
 *               server may go on, the channel makes its own handshake (such as that of TLS): only `interest`,
 *               `failure` and `close` are called besides, and the server's handshake time-out runs
 *     receive   when `ready` has returned JZ_READABLE, and again as long as `receive` says that it has more
 *     send      at any time once `ready` has returned that the server may go on, even if the descriptor is not ready
 *     interest  after any of these, before the server waits
 *     close     last, once, whatever has happened before
 *
 * Rules
 *   - The table is constant. It and the context must outlive every server that listens with them.
 *   - A channel belongs to one loop. All calls for it come from that loop's thread, one at a time; calls for other
 *     channels of the same context may come from other threads at the same time.
 *   - No function may block, call this library (except the functions below), or keep a pointer argument after it
 *     returns.
 *   - The server's limits and time-outs hold for a channel as for a socket. Bytes that `send` has accepted must be in
 *     the kernel, or must get there without further calls. Then backpressure counts correctly, and nothing is lost when
 *     the connection ends properly.
 *   - Writing to the descriptor must not raise SIGPIPE, which would end the process: send with MSG_NOSIGNAL. A library
 *     that writes by itself, as OpenSSL's sockets do, needs a BIO that does so, or a process that ignores the signal.
 *   - The descriptor reports its end, or an error, only once. A channel that reads or writes it must pass that on, in
 *     the same call or the next: nobody else will see it.
 *   - Nothing but the descriptor makes a handshake go on: it cannot wait for another thread, such as one that signs. If
 *     it waits for nothing, and the peer hangs up, the connection ends.
 *   - After JZ_LOST or JZ_IO_BROKEN only `failure` and `close` are called; after JZ_IO_ENDED `receive` is not called.
 */
#ifndef JAZZY_TRANSPORT_H
#define JAZZY_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

JZ_BEGIN_DECLARATIONS

/* What a descriptor is watched for, or ready for; what the server wants to do with a channel, or may do. */
enum {
    JZ_READABLE = 1, /* data, the end of the stream, or an error waits to be received */
    JZ_WRITABLE = 2,
    JZ_LOST = 4, /* only from `ready`: the connection is lost */
    JZ_ONCE = 8  /* only from `interest`: what there is to read need be told only once */
};

/* A piece of the bytes to send. */
typedef struct jz_piece {
    const uint8_t *bytes;
    size_t length; /* at least 1 */
} jz_piece;

enum { JZ_MOST_PIECES = 1024 }; /* per call: IOV_MAX of Linux and the BSDs */

/* The result of receiving or sending. */
typedef enum jz_io {
    JZ_IO_OK,
    JZ_IO_WOULD_BLOCK, /* not now: the server waits for what `interest` returns */
    JZ_IO_ENDED,       /* `receive`: the peer has ended its stream properly */
    JZ_IO_BROKEN       /* the connection is lost */
} jz_io;

/* What a transport tells of itself, as TLS does. All zero: nothing. Counted since it was made. */
typedef struct jz_transport_report {
    uint64_t handshakes;     /* that succeeded, full and resumed ones */
    uint64_t resumed;        /* those of them that resumed a session */
    uint64_t failed;         /* that did not succeed */
    uint64_t reloads;        /* how often certificates were replaced */
    uint64_t failed_reloads; /* how often the old ones stayed because of what was wrong with the new ones */
    int64_t expires; /* when the first of the certificates in use expires, in seconds since 1970; 0: none does */
} jz_transport_report;

typedef struct jz_transport {
    /*
     * Creates the channel of a connection. `context` is the listener's. `early` are bytes that the server has already
     * read behind a PROXY header, before those that the descriptor still has; usually there are none. They are
     * borrowed: copy them. If there are any, `ready` is called soon, once, even if the descriptor is not ready: if they
     * are not enough for the handshake, it waits for the descriptor from then on.
     *
     * Returns the channel; NULL only if there is no memory: then the connection is ended, counted and logged, and no
     * other function is called for it. Nothing needs to be sent or received here; other failures are reported by the
     * first `ready`.
     */
    void *(*open)(void *context, int descriptor, const uint8_t *early, size_t early_length);

    /*
     * Returns what the descriptor must be watched for if the server wants `wanted`: JZ_READABLE, JZ_WRITABLE, both, or
     * 0 for nothing at present. Usually that is `wanted`. But a handshake may have to write before it can read, and
     * bytes that the channel has to send require JZ_WRITABLE, regardless of the server. While nothing is wanted, do not
     * return JZ_READABLE: the poll would report the waiting bytes again and again.
     *
     * JZ_ONCE besides JZ_READABLE is a promise that saves system calls: since `ready` was last called for input, the
     * channel has read the descriptor until there was nothing left, as EAGAIN says, or a stream that has given less
     * than it was asked for. Then `ready` need only be called when there is something new. An end of input behind what
     * was read needs no thought: it is told again. Without the promise all is told as long as it is there.
     */
    unsigned (*interest)(void *channel, unsigned wanted);

    /*
     * The descriptor is ready for `what`: JZ_READABLE, JZ_WRITABLE or both (also both if the connection broke or was
     * hung up). Handshakes continue here, as far as possible without waiting. Because they are expensive, a loop
     * begins no more of these calls in an iteration in which they have taken 0.1 ms; the others come in the next ones.
     * Who waits at the handshake time-out is called once more, unless such calls have taken 10 ms of the iteration.
     *
     * Returns what the server may do now: JZ_READABLE: `receive`; JZ_WRITABLE: `send` waiting output. 0: nothing, the
     * channel only worked for itself. JZ_LOST: the connection is lost, for instance because a handshake failed. If the
     * server may receive but does not want to yet, for instance because the connection is paused, it remembers this: it
     * need not be reported again.
     */
    unsigned (*ready)(void *channel, unsigned what);

    /*
     * Receives up to `capacity` bytes (at least 4,096) into `bytes`, and stores their number in `received`. Receive as
     * many as there are: a call costs the server much more than a byte. The memory is the loop's receive buffer, which
     * holds one read after another: decrypt directly into it.
     *
     * OK: at least 1 byte. Set `has_more`, which is false at first, if the channel has, or may have, more bytes, or the
     * end of the stream, that the descriptor's readiness will not report because they were already read from it. Then
     * this is called again in the same loop iteration, or in the next one, which does not wait, or when the server
     * resumes reading after a pause. If there is nothing after all, return WOULD_BLOCK.
     *
     * ENDED: for instance TLS's close_notify. A peer that has just closed its socket has ended, too, unless the channel
     * cannot be sure that it has received everything: that is BROKEN. Output to the peer is still sent.
     */
    jz_io (*receive)(void *channel, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more);

    /*
     * Sends `count` pieces, 0 to JZ_MOST_PIECES, in order, and stores the number of accepted bytes in `sent`, which is
     * 0 at first. The bytes are borrowed, and must not be changed. Join small pieces if each send has a cost: a message
     * comes as header and payload, which should be one TLS record (jz_pieces_join).
     *
     * OK: all bytes, or as many as possible. If not all were accepted, or with WOULD_BLOCK, which may also have
     * accepted some, the rest comes again when `ready` has returned JZ_WRITABLE. Then the same bytes come first, and no
     * fewer, but from other addresses and in other pieces (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER). If the kernel has
     * taken only a part of what a byte became, such as half a record, the byte is not accepted yet: it is when the rest
     * has been taken, in a later call.
     *
     * `is_last`: nothing will be sent after these bytes. When all are accepted, the channel tells the peer so
     * (close_notify); OK with all bytes accepted means that this has been sent, too. Then nothing is sent any more, and
     * the server shuts down the sending side of the descriptor (SHUT_WR), if it is a socket. WOULD_BLOCK: it is called
     * again with `is_last` and the remaining bytes, even if there are none. If a connection ends by a time-out while no
     * output waits, it is called once with `is_last` and no bytes, whatever it returns; connections that end in another
     * way, for instance because they are lost, skip this.
     */
    jz_io (*send)(void *channel, const jz_piece *pieces, size_t count, bool is_last, size_t *sent);

    /*
     * Returns the protocol that was negotiated in the channel's handshake, for instance by ALPN (RFC 7301); NULL: none.
     * Called when `ready` first returns that the server may go on. Anything but "http/1.1" and "http/1.0", which are
     * spoken here, ends the connection; it is then called once more, for a log line. Borrowed until the next call. The
     * entry may be NULL.
     */
    const char *(*protocol)(void *channel);

    /*
     * Returns why the connection was lost, for the log: a clause such as "certificate expired", of any bytes. Called
     * once, after JZ_LOST or BROKEN. NULL: no log line, for instance if the peer is simply gone. Borrowed until
     * `close`. The entry may be NULL.
     */
    const char *(*failure)(void *channel);

    /* Frees the channel. It sends nothing, and leaves the descriptor open: the server closes it afterwards. */
    void (*close)(void *channel);

    /* Whether what peers send over it can be neither read nor changed on the way: for jz_request_is_secure, and for the
       origins of web pages. */
    bool is_secure;

    /*
     * Gives what the channel knows of its peer and of itself, one thing at a time: for each `index` from 0 on its name,
     * such as "tls.version", and its value, which may be any bytes. Several may have the same name. False: there are no
     * more. What `name` and `value` refer to is borrowed until the next call. Called when a request is asked for it
     * (jz_request_property), after the handshake; what exceeds JZ_MOST_PROPERTY_BYTES is left out. The entry may be
     * NULL.
     */
    bool (*property)(void *channel, size_t index, const char **name, const char **value, size_t *length);

    /*
     * Fills in what the transport tells of itself, for a page with metrics (jazzy/metrics.h): at once, and from any
     * thread. `context` is the listener's transport_context. The entry may be NULL. No count ever falls, nor does
     * `handshakes` without `resumed`, which is shown as a count, too.
     */
    void (*report)(void *context, jz_transport_report *report);
} jz_transport;

enum { JZ_MOST_PROPERTY_BYTES = 65536 }; /* of one channel, with 8 bytes for each property */

/*
 * Copies the content of the pieces, without the first `skipped` bytes, to `bytes`, at most `capacity` bytes. Returns
 * how many were copied. From any thread.
 */
JZ_PUBLIC size_t jz_pieces_join(const jz_piece *pieces, size_t count, size_t skipped, uint8_t *bytes, size_t capacity);

JZ_END_DECLARATIONS

#endif
