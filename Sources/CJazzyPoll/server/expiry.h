/* What happens to a connection whose timer has expired: jz_connection_expired, and what puts it off. */
#ifndef JAZZY_SERVER_EXPIRY_H
#define JAZZY_SERVER_EXPIRY_H

#include "connection.h"
#include "shard.h"

/* Who goes on reading a page, however slowly, gets all of it: what is timed is that nothing moves. */
void jz_expiry_prolong_response(jz_shard *shard, jz_connection *connection);

#endif
