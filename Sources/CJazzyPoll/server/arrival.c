#include "arrival.h"

#include "ending.h"
#include "http.h"
#include "refusal.h"
#include "server.h"

/* Where it is not to be a connection: says so where it is worth it, and closes. */
static void refuse(jz_shard *shard, const jz_arrival *arrival, jz_refusal why)
{
    jz_refusal_note(shard, &arrival->address, why);
    if (jz_refusal_status(why) != 0)
        jz_http_turn_away(shard, arrival->descriptor, why);
    else
        jz_socket_end(arrival->descriptor);
}

static void uncount(jz_server *server, const jz_arrival *arrival)
{
    if (arrival->counts_by_address)
        jz_admission_uncount_address(&server->admission, &arrival->address);
    jz_ending_leave(server, true);
}

bool jz_arrival_let_in(jz_shard *shard, jz_arrival *arrival)
{
    jz_server *server = shard->server;
    jz_refusal why;
    arrival->counts_by_address = false;
    if (!jz_admission_enter(&server->admission, &why)) {
        refuse(shard, arrival, why);
        return false;
    }
    /* Who a trusted proxy speaks for is known later. */
    if (!jz_server_limits(server, &arrival->address))
        return true;
    arrival->counts_by_address = jz_admission_count_address(&server->admission, &arrival->address);
    if (arrival->counts_by_address)
        return true;
    uncount(server, arrival);
    refuse(shard, arrival, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
    return false;
}

void jz_arrival_begin(jz_shard *shard, const jz_arrival *arrival)
{
    if (!jz_connection_begin(shard, arrival))
        jz_arrival_turn_away(shard, arrival);
}

void jz_arrival_turn_away(jz_shard *shard, const jz_arrival *arrival)
{
    uncount(shard->server, arrival);
    refuse(shard, arrival, JZ_REFUSAL_OUT_OF_MEMORY);
}

void jz_arrival_give_up(jz_server *server, const jz_arrival *arrival)
{
    jz_socket_end(arrival->descriptor);
    uncount(server, arrival);
}
