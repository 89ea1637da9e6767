/*
 * transport/: what a connection's bytes travel on: a descriptor, or the channel of a plugged-in transport. Not here:
 * any particular transport, such as TLS.
 *
 * A connection's bytes go directly through a descriptor, or through a channel of a plugged-in transport
 * (jazzy/transport.h). Either is identified by an int, a *link*: if it is not negative, it is the descriptor itself, so
 * plain connections cost only the test of a sign; otherwise it is ~place in its loop's table of channels.
 */
#ifndef JAZZY_TRANSPORT_LINKS_H
#define JAZZY_TRANSPORT_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/poll.h"
#include "loop/socket.h"
#include "jazzy/compiler.h"
#include "jazzy/transport.h"

/* A channel, perhaps not opened yet. */
typedef struct jz_channel {
    const jz_transport *transport;
    void *context; /* of the transport */
    void *channel; /* NULL until it is opened: until then bytes are plain */
    int descriptor;
    uint32_t slot;         /* its connection's */
    uint32_t next;         /* one more than the place of the next channel that is free, pending or put off; 0: none */
    uint8_t watched : 2;   /* as registered with the poll: JZ_READABLE, JZ_WRITABLE */
    uint8_t awaited : 2;   /* while it is put off: what the descriptor was ready for */
    bool is_ready : 1;     /* its own handshake is done: the server may go on */
    bool has_more : 1;     /* receive again, without waiting for the poll */
    bool is_pending : 1;   /* on the list of pending channels, even if no longer pending */
    bool has_ended : 1;    /* the peer has ended its stream */
    bool is_ending : 1;    /* it was told that nothing comes after these bytes */
    bool has_told_end : 1; /* we have ended ours, and all of it was sent */
    bool is_lost : 1;      /* it has reported that it is lost, and is not called any more */
    bool speaks_other : 1; /* it is lost because another protocol was negotiated */
    bool is_put_off : 1;   /* on the list of channels whose handshakes wait for their turn */
    bool is_unwatched : 1; /* not in the poll: not yet, or while it is put off */
    bool is_told_once : 1; /* the poll reports only what is new */
    bool sees_end : 1;     /* which it must not any more: it has reported an end, or urgent data, with more behind it */
    bool misses_news : 1;  /* or: while it was put off, it had something new to report */
    bool tells_all : 1;    /* or: it never does */
    bool is_over : 1;      /* neither side can send any more */
    bool is_hung_up : 1;   /* while it is put off: it waited for nothing, and the peer has gone */
    bool is_given_back : 1; /* not in use: the place is free once it is off its list */
} jz_channel;

/* The channels of one loop. All zero: none. */
typedef struct jz_links {
    jz_channel *channels;
    uint32_t count; /* places that have been used */
    uint32_t capacity;
    uint32_t first_free; /* as `next` */
    uint32_t first_pending;
    uint32_t last_pending;
    uint32_t pending_count;
    uint32_t due;      /* pending channels at the front that were there when the iteration began */
    uint64_t steps_ns; /* what handshake steps have taken in this iteration */
    uint64_t looks_ns; /* and last looks before time-outs */
    /*
     * Those that must wait for their next step, first come first served. Their descriptors are not watched meanwhile,
     * unless the poll reports only what is new: it would report all of them in each iteration.
     */
    uint32_t first_put_off; /* as `next` */
    uint32_t last_put_off;
    bool goes_on; /* channels are pending or put off: the iteration did not wait */
} jz_links;

/*
 * Creates a link for the connection in a slot, with a channel that is not opened yet. The poll does not watch the
 * descriptor before jz_links_watch. 0: there is no memory. Otherwise the link owns the descriptor. `tells_all`: the
 * poll is to report what is there as long as it is, because others may go on using the same socket, or whatever it is,
 * by descriptors of their own; or because reading may stop short, as that of a Unix domain socket does behind bytes
 * with which descriptors came.
 */
int jz_links_add(jz_links *links, const jz_transport *transport, void *context, int descriptor, bool tells_all,
                 uint32_t slot);

/* Opens the channel: from now on all bytes go through it. `early` was read before. False when there is no memory. */
bool jz_links_open(jz_links *links, int link, const uint8_t *early, size_t early_length);

/*
 * The poll reports that the descriptor is ready. Returns what the server, which is interested in `wanted`, may do now:
 * JZ_READABLE, JZ_WRITABLE, or JZ_LOST. If it may receive but does not want to, that is remembered.
 */
unsigned jz_links_ready(jz_links *links, int link, unsigned what, unsigned wanted);

/* Watches the descriptor as needed for `wanted`. False if the kernel refuses. */
bool jz_links_watch(jz_links *links, jz_poll *poll, int link, unsigned wanted, uint64_t token);

/*
 * The poll must not watch the descriptor any more, because it is going to be closed. Where it reports only what is new,
 * closing is enough: even if a forked child has the descriptor, the poll reports little of it, to nobody.
 */
void jz_links_unwatch(const jz_links *links, jz_poll *poll, int link);

/*
 * Takes the next channel that was pending when the iteration began, and still has more to receive, off the list: fills
 * in its link, and its connection's slot. False: there is none.
 */
bool jz_links_take_pending(jz_links *links, int *link, uint32_t *slot);

/* What the server may do with a channel that was taken off the list, as jz_links_ready. */
unsigned jz_links_go_on(jz_links *links, int link);

/* What may be received waits: the channel need not say so again, so it is pending, or will be when reading resumes. */
void jz_links_put_off(jz_links *links, int link);

/* After receiving: if the channel still has more, it is pending again. */
void jz_links_follow_received(jz_links *links, int link);

/*
 * Takes the channel that was put off first off the list, as above, if there is time left in this iteration. False:
 * there is none.
 */
bool jz_links_take_put_off(jz_links *links, int *link, uint32_t *slot);

/* What the server may do with a channel that was taken off that list, as jz_links_ready: its handshake goes on. */
unsigned jz_links_take_turn(jz_links *links, int link, unsigned wanted);

/* Returns whether channels are pending or put off, so that the next iteration must not wait. */
static inline bool jz_links_end_turn(jz_links *links)
{
    links->steps_ns = 0;
    links->looks_ns = 0;
    links->due = links->pending_count;
    links->goes_on = (links->due | links->first_put_off) != 0;
    return links->goes_on;
}

/* Whether the link goes through a transport that says that it is secure. */
static inline bool jz_link_is_secure(const jz_links *links, int link);

/* Writes why a channel was lost. False if there is nothing to say. */
bool jz_links_explain(const jz_links *links, int link, char *text, size_t size);

/* Closes the channel, if it was opened, and frees its place. The caller owns the descriptor again. */
void jz_links_forget(jz_links *links, int link);

/* Frees the table. There must be no links any more. */
void jz_links_free(jz_links *links);

/* Private to the inline functions below: for links with a channel. */
jz_socket_result jz_links_receive(jz_links *links, int link, uint8_t *bytes, size_t capacity, size_t *received);
jz_socket_result jz_links_send(jz_links *links, int link, const jz_piece *pieces, size_t count, bool is_last,
                               size_t *sent);
jz_socket_result jz_links_tell_end(jz_links *links, int link);
jz_socket_result jz_links_finish_sending(jz_links *links, int link);
void jz_links_end(jz_links *links, int link);

static inline bool jz_link_is_channel(int link)
{
    return link < 0;
}

static inline bool jz_link_is_secure(const jz_links *links, int link)
{
    return jz_link_is_channel(link) && links->channels[~link].transport->is_secure;
}

/* The socket's descriptor, for socket options and byte counts. */
static inline int jz_link_descriptor(const jz_links *links, int link)
{
    return JZ_LIKELY(!jz_link_is_channel(link)) ? link : links->channels[~link].descriptor;
}

/* Whether a channel has more to receive, which the poll does not report. */
static inline bool jz_link_has_more(const jz_links *links, int link)
{
    return jz_link_is_channel(link) && links->channels[~link].has_more;
}

/* As jz_socket_receive. `has_more`: it is worthwhile to receive again at once. */
static inline jz_socket_result jz_link_receive(jz_links *links, int link, uint8_t *bytes, size_t capacity,
                                               size_t *received, bool *has_more)
{
    jz_socket_result result;
    if (JZ_LIKELY(!jz_link_is_channel(link))) {
        result = jz_socket_receive(link, bytes, capacity, received);
        *has_more = *received == capacity;
    } else {
        result = jz_links_receive(links, link, bytes, capacity, received);
        *has_more = links->channels[~link].has_more;
    }
    return result;
}

static inline jz_socket_result jz_link_send(jz_links *links, int link, const uint8_t *bytes, size_t length,
                                            size_t *sent)
{
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        return jz_socket_send(link, bytes, length, sent);
    return jz_links_send(links, link, &(jz_piece){bytes, length}, 1, false, sent);
}

/* As jz_socket_send_last; but with a channel jz_link_tell_end must still be called before it ends. */
static inline jz_socket_result jz_link_send_last(jz_links *links, int link, const uint8_t *bytes, size_t length,
                                                 size_t *sent)
{
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        return jz_socket_send_last(link, bytes, length, sent);
    return jz_links_send(links, link, &(jz_piece){bytes, length}, 1, true, sent);
}

static inline jz_socket_result jz_link_send_pieces(jz_links *links, int link, const jz_piece *pieces, size_t count,
                                                   size_t *sent)
{
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        return jz_socket_send_pieces(link, pieces, count, sent);
    return jz_links_send(links, link, pieces, count, false, sent);
}

/*
 * Before the link is ended: a channel may have to send something that says so, as TLS does. WOULD_BLOCK: call again
 * when the link is writable.
 */
static inline jz_socket_result jz_link_tell_end(jz_links *links, int link)
{
    return jz_link_is_channel(link) ? jz_links_tell_end(links, link) : JZ_SOCKET_OK;
}

/*
 * Tells the peer that nothing more will be sent; receiving goes on. WOULD_BLOCK: call again when the link is writable,
 * because the channel has to send something for it.
 */
static inline jz_socket_result jz_link_finish_sending(jz_links *links, int link)
{
    if (jz_link_is_channel(link))
        return jz_links_finish_sending(links, link);
    jz_socket_finish_sending(link);
    return JZ_SOCKET_OK;
}

/* Closes the channel, if there is one, and ends the socket: see jz_socket_end. */
static inline void jz_link_end(jz_links *links, int link)
{
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        jz_socket_end(link);
    else
        jz_links_end(links, link);
}

#endif
