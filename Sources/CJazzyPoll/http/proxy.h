/* The PROXY header at the beginning of a trusted proxy's connection, which names the client. */
#ifndef JAZZY_HTTP_PROXY_H
#define JAZZY_HTTP_PROXY_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Takes the header, or a part of it, from the input; collects the parts. */
void jz_proxy_take(jz_shard *shard, jz_connection *connection, jz_input *input);

#endif
