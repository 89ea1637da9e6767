#include "lifecycle/admitting.h"

#include <errno.h>
#include <stdio.h>

#include "loop/socket.h"
#include "shard/arrival.h"
#include "shard/errand.h"
#include "config/log.h"
#include "http/refusal.h"
#include "http/responding.h"
#include "shard/server.h"

/*
 * Refuses a socket: answers if that is worthwhile, and closes. Not with a transport: the client would not understand
 * plain HTTP, and the point is to save the transport's handshake.
 */
static void refuse(jz_shard *shard, const jz_arrival *arrival, jz_refusal why)
{
    jz_refusal_note(shard, &arrival->address, why);
    if (jz_refusal_status(why) != 0 && arrival->listening.transport == NULL)
        jz_http_turn_away(shard, arrival->descriptor, why);
    else
        jz_socket_end(arrival->descriptor);
}

static bool let_in(jz_shard *shard, jz_arrival *arrival)
{
    jz_refusal why;
    bool is_let_in = jz_arrival_let_in(shard->server, arrival, &why);
    if (!is_let_in)
        refuse(shard, arrival, why);
    return is_let_in;
}

static void turn_away(jz_shard *shard, const jz_arrival *arrival)
{
    jz_arrival_uncount(shard->server, arrival);
    refuse(shard, arrival, JZ_REFUSAL_OUT_OF_MEMORY);
}

static jz_phase first_phase(const jz_shard *shard, const jz_arrival *arrival)
{
    bool has_proxy_header = shard->server->options.client_address == JZ_CLIENT_ADDRESS_PROXY_PROTOCOL &&
                            !arrival->is_no_socket && jz_server_trusts(shard->server, &arrival->address);
    return has_proxy_header ? JZ_PHASE_PROXY : JZ_PHASE_HEAD;
}

/* Opens the channel before anything is read, or after a PROXY header, which does not go through it. */
static bool begin_channel(jz_shard *shard, jz_connection *connection, const jz_arrival *arrival, jz_phase phase)
{
    jz_links *links = &shard->turn.links;
    const jz_listen_options *options = &arrival->listening;
    bool tells_all = arrival->is_adopted || jz_ip_is_unspecified(arrival->address.ip);
    int link = jz_links_add(links, options->transport, options->transport_context, arrival->descriptor, tells_all,
                            connection->slot);
    if (link == 0)
        return false;
    connection->link = link;
    bool is_begun = phase == JZ_PHASE_PROXY || jz_links_open(links, link, NULL, 0);
    if (is_begun && jz_links_watch(links, shard->turn.loop.poll, link, JZ_READABLE, jz_connection_token(connection)))
        return true;
    jz_links_forget(links, link);
    return false;
}

/* Creates the connection's link. False: the arrival still owns the socket. */
static bool begin_link(jz_shard *shard, jz_connection *connection, const jz_arrival *arrival, jz_phase phase)
{
    if (arrival->listening.transport != NULL)
        return begin_channel(shard, connection, arrival, phase);
    connection->link = arrival->descriptor;
    return jz_poll_add(shard->turn.loop.poll, arrival->descriptor, JZ_READABLE, jz_connection_token(connection));
}

static bool begin(jz_shard *shard, const jz_arrival *arrival)
{
    jz_connection *connection = jz_slots_take(&shard->slots);
    if (connection == NULL)
        return false;
    jz_phase phase = first_phase(shard, arrival);
    if (!begin_link(shard, connection, arrival, phase)) {
        jz_slots_give_back(&shard->slots, connection);
        return false;
    }
    connection->phase = phase & 7;
    connection->head = (jz_buffer){0};
    connection->came_secured = false;
    connection->interest = JZ_READABLE;
    connection->counts_by_address = arrival->counts_by_address;
    jz_connection_set_peer(connection, &arrival->address);
    shard->connection_count++;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
    return true;
}

void jz_admitting_begin(jz_shard *shard, const jz_arrival *arrival)
{
    if (!begin(shard, arrival))
        turn_away(shard, arrival);
}

static void hand_over(jz_shard *shard, jz_shard *target, const jz_arrival *arrival)
{
    switch (jz_errand_hand_over(target, arrival)) {
    case JZ_SEND_DROPPED:
        turn_away(shard, arrival);
        break;
    case JZ_SEND_CLOSED:
        jz_arrival_give_up(shard->server, arrival);
        break;
    default:
        break;
    }
}

/* Lets a connection in, and keeps it or hands it over to the next shard. */
static void place(jz_shard *shard, const jz_listener *listener, jz_arrival *arrival)
{
    if (!let_in(shard, arrival))
        return;
    jz_server *server = shard->server;
    jz_shard *target = shard;
    if (listener->hands_over) {
        uint32_t *next = &shard->next_hand_over;
        target = &server->shards[*next];
        *next = (*next + 1) % server->shard_count;
    }
    if (target == shard)
        jz_admitting_begin(shard, arrival);
    else
        hand_over(shard, target, arrival);
}

static void accepted(void *context, const jz_listener *listener, int descriptor, const jz_address *address)
{
    jz_arrival arrival = {.descriptor = descriptor, .listening = listener->options, .address = *address};
    place(context, listener, &arrival);
}

static void exhausted(void *context, int reason)
{
    const jz_shard *shard = context;
    jz_log(&shard->server->options, JZ_LOG_ERROR,
           "cannot accept connections: %s; new clients wait (raise the limit of open files, `ulimit -n`)",
           reason == EMFILE || reason == ENFILE ? "no file descriptors left" : "out of memory");
}

static void lost(void *context, const jz_listener *listener)
{
    const jz_shard *shard = context;
    char name[24];
    snprintf(name, sizeof name, "descriptor %d", listener->descriptor);
    jz_log(&shard->server->options, JZ_LOG_ERROR,
           "%s listens no more: the socket was shut down by somebody else who has it; no clients come from there "
           "until a server is made to listen anew",
           listener->unix_path != NULL ? listener->unix_path : name);
}

void jz_admitting_init(jz_shard *shard)
{
    const jz_acceptor_owner owner = {.context = shard, .accepted = accepted, .exhausted = exhausted, .lost = lost};
    jz_acceptor_init(&shard->acceptor, &shard->turn.loop, owner);
}
