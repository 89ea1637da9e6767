/*
 * transport/: what a connection's bytes travel on: a descriptor, or the channel of a plugged-in transport. Not here:
 * any particular transport, such as TLS.
 *
 * What a connection's bytes travel on: a descriptor, as they are, or the channel of a transport that somebody has
 * plugged in (jazzy/transport.h). Both are an int, a *link*: from 0 on it is the descriptor itself, which costs one
 * test of a sign; below, it is ~place in its loop's table of channels. What TLS is, is not known here.
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

/* A channel, or what is to be one. */
typedef struct jz_channel {
    const jz_transport *transport;
    void *context; /* of the transport */
    void *channel; /* NULL until it is opened: so long bytes are read and sent as they are */
    int descriptor;
    uint32_t slot;          /* of its connection */
    uint32_t next;          /* one more than the place of the next that is free, or pending; 0: none */
    uint8_t watched : 2;    /* as the poll knows it: JZ_READABLE, JZ_WRITABLE */
    bool is_ready : 1;      /* the channel has told that the server may go on */
    bool has_more : 1;      /* to be received, whatever the poll tells */
    bool is_pending : 1;    /* on the list of those that are to be received from, or were */
    bool has_ended : 1;     /* the peer has told its end */
    bool has_told_end : 1;  /* so have we, and all of it is on its way */
    bool is_lost : 1;       /* it has told so, and is not asked any more */
    bool speaks_other : 1;  /* it is lost because its peer wants to speak something else */
    bool is_given_back : 1; /* nobody's: the place is free once it is off the list */
} jz_channel;

/* Those of one loop. All zero is none. */
typedef struct jz_links {
    jz_channel *channels;
    uint32_t count; /* places that have been used */
    uint32_t capacity;
    uint32_t first_free; /* as `next` */
    uint32_t first_pending;
    uint32_t last_pending;
    uint32_t pending_count;
    uint32_t due;        /* those at the front that were there when the turn began */
    uint32_t handshakes; /* steps of handshakes that this turn has made */
} jz_links;

/*
 * Makes a link for the connection in a slot, not opened yet. The poll watches the descriptor already, for JZ_READABLE.
 * 0: there is no memory. The descriptor is the link's from here on.
 */
int jz_links_add(jz_links *links, const jz_transport *transport, void *context, int descriptor, uint32_t slot);

/* From here on its bytes travel on a channel. `early` were read before it. False where there is no memory. */
bool jz_links_open(jz_links *links, int link, const uint8_t *early, size_t early_length);

/*
 * The poll tells that its descriptor is ready. Returns what the server, which wants to hear of `wanted`, may do now:
 * JZ_READABLE, JZ_WRITABLE, or JZ_LOST. What it may receive and does not want is kept in mind.
 */
unsigned jz_links_ready(jz_links *links, int link, unsigned what, unsigned wanted);

/* Watches it for what the server wants of it. False where the kernel does not. */
bool jz_links_watch(jz_links *links, jz_poll *poll, int link, unsigned wanted, uint64_t token);

/*
 * Takes the next that was pending when the turn began, and has more, off the list: its link, and its connection's slot.
 * False: there are no more.
 */
bool jz_links_take_pending(jz_links *links, int *link, uint32_t *slot);

/* What the server may do with one that was taken off the list, as jz_links_ready. */
unsigned jz_links_go_on(jz_links *links, int link);

/* It was received from: where it has more still, it is pending again. */
void jz_links_follow_received(jz_links *links, int link);

/* Returns whether some are pending, so that the next turn is not to wait. */
static inline bool jz_links_end_turn(jz_links *links)
{
    links->handshakes = 0;
    links->due = links->pending_count;
    return links->due > 0;
}

/* After it was lost: writes why. False where there is nothing to say. */
bool jz_links_explain(const jz_links *links, int link, char *text, size_t size);

/* Closes the channel, if there is one, and gives the place back. The descriptor is the caller's again. */
void jz_links_forget(jz_links *links, int link);

/* There are no links any more. */
void jz_links_free(jz_links *links);

/* Private to the inline functions below: of links that are no descriptors. */
jz_socket_result jz_links_receive(jz_links *links, int link, uint8_t *bytes, size_t capacity, size_t *received);
jz_socket_result jz_links_send(jz_links *links, int link, const jz_piece *pieces, size_t count, bool is_last,
                               size_t *sent);
jz_socket_result jz_links_finish_sending(jz_links *links, int link);
void jz_links_end(jz_links *links, int link);

static inline bool jz_link_is_channel(int link)
{
    return link < 0;
}

/* What lies below: its options and counts are the connection's. */
static inline int jz_link_descriptor(const jz_links *links, int link)
{
    return JZ_LIKELY(!jz_link_is_channel(link)) ? link : links->channels[~link].descriptor;
}

/* As jz_socket_receive. `has_more`: it is worth to receive again at once. */
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

/* As jz_socket_send_last; jz_link_finish_sending is still to be called before a channel ends. */
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
 * Tells the peer that nothing more will be sent; receiving goes on. WOULD_BLOCK: to be called again when the link is
 * writable, for a channel has to send something for it.
 */
static inline jz_socket_result jz_link_finish_sending(jz_links *links, int link)
{
    if (jz_link_is_channel(link))
        return jz_links_finish_sending(links, link);
    jz_socket_finish_sending(link);
    return JZ_SOCKET_OK;
}

/* Closes the channel, if there is one, and ends what lies below: see jz_socket_end. */
static inline void jz_link_end(jz_links *links, int link)
{
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        jz_socket_end(link);
    else
        jz_links_end(links, link);
}

#endif
