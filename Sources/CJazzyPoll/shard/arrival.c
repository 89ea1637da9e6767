#include "shard/arrival.h"

#include "loop/socket.h"
#include "shard/server.h"
#include "shard/stop_request.h"

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
