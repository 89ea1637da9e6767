/* Whether a client's connection is secure, by its transport or according to a trusted proxy. */
#ifndef JAZZY_HTTP_CLIENT_SCHEME_H
#define JAZZY_HTTP_CLIENT_SCHEME_H

#include <stdbool.h>

#include "codec/request_head.h"
#include "connection/connection.h"
#include "shard/shard.h"

/* jz_request_is_secure. Call it while the connection's peer is still the TCP peer. */
bool jz_client_is_secure(const jz_shard *shard, const jz_connection *connection, const jz_request_head *head);

#endif
