#include "transport/links.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

enum {
    FIRST_CAPACITY = 16,
    MOST_CHANNELS = INT32_MAX,
    /* What handshake steps may take of an iteration before no more begin: with TLS, most are much cheaper, but one that
       signs takes from 0.1 ms to several, so that others wait for no more than one of those. */
    STEPS_TIME_NS = 100 * 1000,
    /* The same for last looks before time-outs, which come in crowds if the handshakes did. */
    LOOKS_TIME_NS = 10 * 1000 * 1000
};

static jz_channel *at(const jz_links *links, int link)
{
    assert(jz_link_is_channel(link) && (uint32_t)~link < links->count);
    return &links->channels[~link];
}

static uint32_t number_of(int link)
{
    return (uint32_t)~link + 1;
}

static bool make_room(jz_links *links)
{
    if (links->count < links->capacity)
        return true;
    uint32_t capacity = links->capacity > 0 ? links->capacity * 2 : FIRST_CAPACITY;
    jz_channel *grown = NULL;
    if (links->count < MOST_CHANNELS / 2)
        grown = realloc(links->channels, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    links->channels = grown;
    links->capacity = capacity;
    return true;
}

int jz_links_add(jz_links *links, const jz_transport *transport, void *context, int descriptor, bool tells_all,
                 uint32_t slot)
{
    uint32_t place;
    if (links->first_free != 0) {
        place = links->first_free - 1;
        links->first_free = links->channels[place].next;
    } else if (make_room(links)) {
        place = links->count++;
    } else {
        return 0;
    }
    links->channels[place] = (jz_channel){.transport = transport,
                                          .context = context,
                                          .descriptor = descriptor,
                                          .slot = slot,
                                          .watched = JZ_READABLE,
                                          .is_unwatched = true,
                                          .tells_all = tells_all};
    return ~(int)place;
}

static void give_back(jz_links *links, int link)
{
    jz_channel *channel = at(links, link);
    channel->next = links->first_free;
    links->first_free = number_of(link);
}

/* The channel is received from in the next iteration, without waiting for the poll. */
static void pend(jz_links *links, int link)
{
    jz_channel *channel = at(links, link);
    /* One that is put off has its turn, and then receives. */
    if (channel->is_pending || channel->is_put_off)
        return;
    channel->is_pending = true;
    channel->next = 0;
    if (links->first_pending == 0)
        links->first_pending = number_of(link);
    else
        links->channels[links->last_pending - 1].next = number_of(link);
    links->last_pending = number_of(link);
    links->pending_count++;
}

bool jz_links_take_pending(jz_links *links, int *link, uint32_t *slot)
{
    while (links->due > 0) {
        *link = ~(int)(links->first_pending - 1);
        jz_channel *channel = at(links, *link);
        *slot = channel->slot;
        links->first_pending = channel->next;
        links->pending_count--;
        links->due--;
        channel->is_pending = false;
        if (channel->is_given_back)
            give_back(links, *link);
        else if (channel->has_more)
            return true;
    }
    return false;
}

void jz_links_put_off(jz_links *links, int link)
{
    at(links, link)->has_more = true;
    pend(links, link);
}

void jz_links_follow_received(jz_links *links, int link)
{
    if (at(links, link)->has_more)
        pend(links, link);
}

bool jz_links_open(jz_links *links, int link, const uint8_t *early, size_t early_length)
{
    jz_channel *channel = at(links, link);
    channel->channel = channel->transport->open(channel->context, channel->descriptor, early, early_length);
    if (channel->channel != NULL && early_length > 0) {
        channel->has_more = true;
        pend(links, link);
    }
    return channel->channel != NULL;
}

static bool is_http(const char *protocol)
{
    return protocol == NULL || strcmp(protocol, "http/1.1") == 0 || strcmp(protocol, "http/1.0") == 0;
}

/* The channel's own handshake is done. Returns whether it negotiated a protocol that we speak. */
static bool begin(jz_channel *channel)
{
    const jz_transport *transport = channel->transport;
    channel->is_ready = true;
    channel->speaks_other = transport->protocol != NULL && !is_http(transport->protocol(channel->channel));
    return !channel->speaks_other;
}

/* Calls the channel's `ready`. Returns what may be done now of `wanted`, or JZ_LOST. */
static unsigned ask(jz_channel *channel, unsigned what, unsigned wanted)
{
    /* A handshake now has the early bytes: if they are not enough, it waits for the poll. */
    if (!channel->is_ready)
        channel->has_more = false;
    unsigned may = channel->transport->ready(channel->channel, what);
    if ((may & JZ_LOST) != 0 || (may != 0 && !channel->is_ready && !begin(channel))) {
        channel->is_lost = true;
        return JZ_LOST;
    }
    if ((may & ~wanted & JZ_READABLE) != 0)
        channel->has_more = true;
    return may & wanted;
}

/* The channel makes its next step later. If it is pending, it comes back in the next iteration, and is put off then. */
static unsigned put_off(jz_links *links, jz_channel *channel, unsigned what, bool is_hung_up)
{
    if (channel->is_pending || channel->is_put_off) {
        channel->misses_news = true;
        return 0;
    }
    uint32_t number = (uint32_t)(channel - links->channels) + 1;
    channel->is_put_off = true;
    channel->awaited = what & 3;
    channel->is_hung_up = is_hung_up;
    channel->has_more = false;
    channel->next = 0;
    if (links->first_put_off == 0)
        links->first_put_off = number;
    else
        links->channels[links->last_put_off - 1].next = number;
    links->last_put_off = number;
    return 0;
}

bool jz_links_take_put_off(jz_links *links, int *link, uint32_t *slot)
{
    while (links->first_put_off != 0 && links->steps_ns < STEPS_TIME_NS) {
        *link = ~(int)(links->first_put_off - 1);
        jz_channel *channel = at(links, *link);
        *slot = channel->slot;
        links->first_put_off = channel->next;
        channel->is_put_off = false;
        if (!channel->is_given_back)
            return true;
        give_back(links, *link);
    }
    return false;
}

/* A step of the channel's own handshake. `is_hung_up`: nothing is watched for, and the peer has gone. */
static unsigned step(jz_links *links, jz_channel *channel, unsigned what, unsigned wanted, bool is_hung_up)
{
    uint64_t began = jz_clock_ns();
    unsigned may = ask(channel, what, wanted);
    links->steps_ns += jz_clock_ns() - began;
    /* The handshake waits for nothing, but the poll would report again and again that the peer has gone. */
    return !channel->is_ready && is_hung_up ? JZ_LOST : may;
}

static void note_end(jz_channel *channel, unsigned what)
{
    channel->sees_end = true;
    channel->is_over = channel->is_over || (what & JZ_OVER) != 0;
}

unsigned jz_links_ready(jz_links *links, int link, unsigned what, unsigned wanted)
{
    jz_channel *channel = at(links, link);
    if ((what & (JZ_ENDING | JZ_URGENT)) != 0)
        note_end(channel, what);
    what &= JZ_READABLE | JZ_WRITABLE;
    if (channel->is_lost)
        return JZ_LOST;
    /* The poll reports what nobody watched for: the connection broke or was hung up. Receiving will find out. */
    bool is_asked_for = (what & channel->watched) != 0;
    if (channel->channel == NULL || (channel->is_ready && !is_asked_for))
        return what & (wanted | JZ_READABLE);
    if (channel->is_ready)
        return ask(channel, what, wanted);
    bool is_hung_up = channel->watched == 0 && what == (JZ_READABLE | JZ_WRITABLE);
    if (links->first_put_off != 0 || links->steps_ns >= STEPS_TIME_NS)
        return put_off(links, channel, what, is_hung_up);
    return step(links, channel, what, wanted, is_hung_up);
}

unsigned jz_links_take_turn(jz_links *links, int link, unsigned wanted)
{
    jz_channel *channel = at(links, link);
    if (channel->is_lost)
        return JZ_LOST;
    /* A last look before a time-out may have ended the handshake meanwhile. */
    if (channel->is_ready)
        return JZ_READABLE & wanted;
    return step(links, channel, channel->awaited, wanted, channel->is_hung_up);
}

unsigned jz_links_go_on(jz_links *links, int link)
{
    return at(links, link)->is_ready ? JZ_READABLE : jz_links_ready(links, link, JZ_READABLE, JZ_READABLE);
}

/*
 * A last look before a time-out: the received bytes may be what the handshake waits for. It does not wait for its turn,
 * but without time left for looks there is none: who was put off for so long would only be begun with now, at the cost
 * of all others. Returns whether the server may receive.
 */
static bool look(jz_links *links, jz_channel *channel)
{
    if (links->looks_ns >= LOOKS_TIME_NS)
        return false;
    uint64_t began = jz_clock_ns();
    unsigned may = ask(channel, JZ_READABLE, JZ_READABLE);
    links->looks_ns += jz_clock_ns() - began;
    return may != 0;
}

jz_socket_result jz_links_receive(jz_links *links, int link, uint8_t *bytes, size_t capacity, size_t *received)
{
    jz_channel *channel = at(links, link);
    if (channel->channel == NULL)
        return jz_socket_receive(channel->descriptor, bytes, capacity, received);
    if (!channel->is_ready && !channel->is_lost && !look(links, channel))
        return JZ_SOCKET_WOULD_BLOCK;
    if (channel->is_lost)
        return JZ_SOCKET_BROKEN;
    if (channel->has_ended)
        return JZ_SOCKET_ENDED;
    bool has_more = false;
    *received = 0;
    jz_io result = channel->transport->receive(channel->channel, bytes, capacity, received, &has_more);
    assert(*received <= capacity && (result != JZ_IO_OK || *received > 0));
    channel->has_more = result == JZ_IO_OK && has_more;
    if (channel->has_more)
        pend(links, link);
    switch (result) {
    case JZ_IO_OK:
        return *received > 0 ? JZ_SOCKET_OK : JZ_SOCKET_WOULD_BLOCK;
    case JZ_IO_WOULD_BLOCK:
        return JZ_SOCKET_WOULD_BLOCK;
    case JZ_IO_ENDED:
        channel->has_ended = true;
        return JZ_SOCKET_ENDED;
    default:
        channel->is_lost = true;
        return JZ_SOCKET_BROKEN;
    }
}

jz_socket_result jz_links_send(jz_links *links, int link, const jz_piece *pieces, size_t count, bool is_last,
                               size_t *sent)
{
    jz_channel *channel = at(links, link);
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += pieces[i].length;
    *sent = 0;
    if (channel->is_lost)
        return JZ_SOCKET_BROKEN;
    /* Before the handshake is done nothing can be sent. */
    if (!channel->is_ready)
        return JZ_SOCKET_WOULD_BLOCK;
    /* The rest of the last bytes comes from where output waits, which does not say that they are the last. */
    channel->is_ending = channel->is_ending || is_last;
    jz_io result = channel->transport->send(channel->channel, pieces, count, channel->is_ending, sent);
    assert(*sent <= length);
    if (result != JZ_IO_OK && result != JZ_IO_WOULD_BLOCK) {
        channel->is_lost = true;
        return JZ_SOCKET_BROKEN;
    }
    if (channel->is_ending && result == JZ_IO_OK && *sent == length)
        channel->has_told_end = true;
    return result == JZ_IO_OK || *sent > 0 ? JZ_SOCKET_OK : JZ_SOCKET_WOULD_BLOCK;
}

jz_socket_result jz_links_tell_end(jz_links *links, int link)
{
    const jz_channel *channel = at(links, link);
    size_t sent;
    if (!channel->is_ready || channel->has_told_end)
        return JZ_SOCKET_OK;
    return jz_links_send(links, link, NULL, 0, true, &sent);
}

jz_socket_result jz_links_finish_sending(jz_links *links, int link)
{
    jz_socket_result result = jz_links_tell_end(links, link);
    if (result == JZ_SOCKET_OK)
        jz_socket_finish_sending(at(links, link)->descriptor);
    return result;
}

bool jz_links_explain(const jz_links *links, int link, char *text, size_t size)
{
    const jz_channel *channel = at(links, link);
    const jz_transport *transport = channel->transport;
    if (!channel->is_lost)
        return false;
    if (channel->speaks_other) {
        const char *protocol = transport->protocol(channel->channel);
        snprintf(text, size, "what its peer wants to speak is \"%.60s\", and here it is http/1.1",
                 protocol != NULL ? protocol : "");
        return true;
    }
    const char *why = transport->failure != NULL ? transport->failure(channel->channel) : NULL;
    if (why != NULL)
        snprintf(text, size, "%s", why);
    return why != NULL;
}

void jz_links_forget(jz_links *links, int link)
{
    jz_channel *channel = at(links, link);
    if (channel->channel != NULL)
        channel->transport->close(channel->channel);
    channel->channel = NULL;
    channel->has_more = false;
    if (channel->is_pending || channel->is_put_off)
        channel->is_given_back = true;
    else
        give_back(links, link);
}

void jz_links_end(jz_links *links, int link)
{
    const jz_channel *channel = at(links, link);
    int descriptor = channel->descriptor;
    bool is_over = channel->is_over;
    jz_links_forget(links, link);
    if (is_over)
        jz_socket_close(descriptor);
    else
        jz_socket_end(descriptor);
}

void jz_links_free(jz_links *links)
{
    free(links->channels);
    *links = (jz_links){0};
}
