#include "shard/arrival.h"

#include "loop/socket.h"
#include "shard/server.h"
#include "shard/stop_request.h"

bool jz_arrival_let_in(jz_server *server, jz_arrival *arrival, jz_refusal *why)
{
    arrival->counts_by_address = false;
    if (!jz_admission_enter(&server->admission, why))
        return false;
    /* For a trusted proxy the client's address is known later. */
    if (!jz_server_limits(server, &arrival->address))
        return true;
    arrival->counts_by_address = jz_admission_count_address(&server->admission, &arrival->address);
    if (arrival->counts_by_address)
        return true;
    jz_arrival_uncount(server, arrival);
    *why = JZ_REFUSAL_CONNECTIONS_PER_ADDRESS;
    return false;
}

void jz_arrival_uncount(jz_server *server, const jz_arrival *arrival)
{
    if (arrival->counts_by_address)
        jz_admission_uncount_address(&server->admission, &arrival->address);
    jz_server_leave(server, true);
}

void jz_arrival_give_up(jz_server *server, const jz_arrival *arrival)
{
    jz_socket_end(arrival->descriptor);
    jz_arrival_uncount(server, arrival);
}
