/* Who the client is, according to the head of a request that a trusted proxy passes on. */
#ifndef JAZZY_HTTP_CLIENT_ADDRESS_H
#define JAZZY_HTTP_CLIENT_ADDRESS_H

#include <stdbool.h>

#include "codec/request_head.h"
#include "connection/connection.h"
#include "shard/shard.h"

/*
 * A WebSocket of that route is requested. Sets the connection's peer to the client, if its peer is a trusted proxy that
 * names one (jz_options.client_address). False if the header for one address has something else: then it is not known
 * who the client is, and the request must be refused. As the address of a trusted proxy, the connection would have no
 * limit.
 */
bool jz_client_address_follow(jz_shard *shard, jz_connection *connection, const jz_route *route,
                              const jz_request_head *head);

/* The same for a request of which nothing is kept: writes the client's address to `client`. */
bool jz_client_address_find(jz_shard *shard, const jz_connection *connection, const jz_route *route,
                            const jz_request_head *head, jz_address *client);

/*
 * Whether a client with a loopback address has it from a proxy, as a PROXY header or client_address_header says: then
 * it may be on the proxy's machine, or the proxy does not know it. False for all others.
 */
bool jz_client_is_passed_on(const jz_shard *shard, const jz_connection *connection, const jz_request_head *head,
                            const jz_address *client);

/* Refuses such a request. */
void jz_client_address_refuse(jz_shard *shard, jz_connection *connection, const jz_route *route);

#endif
