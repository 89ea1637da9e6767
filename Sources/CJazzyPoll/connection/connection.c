#include "connection/connection.h"

#include <assert.h>

#include "codec/big_endian.h"

static_assert((int)JZ_FAILURE_COUNT <= (int)JZ_BROKEN_OFF,
              "a failure fits into a connection's five bits, as does none");

void jz_connection_set_peer(jz_connection *connection, const jz_address *address)
{
    /* memory_order_release, as for all that other threads read: a thread that sees it also sees the slot's new
       generation. */
    for (size_t i = 0; i < 2; i++)
        atomic_store_explicit(&connection->peer_ip[i], jz_read_uint64(address->ip + i * 8), memory_order_release);
    atomic_store_explicit(&connection->peer_port, address->port, memory_order_release);
}

jz_address jz_connection_peer(const jz_connection *connection)
{
    jz_address address;
    for (size_t i = 0; i < 2; i++)
        jz_write_uint64(address.ip + i * 8, atomic_load_explicit(&connection->peer_ip[i], memory_order_acquire));
    address.port = atomic_load_explicit(&connection->peer_port, memory_order_acquire);
    return address;
}
