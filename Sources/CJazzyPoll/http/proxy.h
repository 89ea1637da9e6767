/* The PROXY header with which a trusted proxy begins: whose connection it is. */
#ifndef JAZZY_HTTP_PROXY_H
#define JAZZY_HTTP_PROXY_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Takes the header from the input, or what has come of it; it is gathered, because it may come in pieces. */
void jz_proxy_take(jz_shard *shard, jz_connection *connection, jz_input *input);

#endif
