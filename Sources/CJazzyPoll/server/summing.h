/* Sums of what the shards of a server count. */
#ifndef JAZZY_SERVER_SUMMING_H
#define JAZZY_SERVER_SUMMING_H

#include "jazzy/server.h"

/*
 * As jz_server_statistics, but looks at no connection: buffered_bytes has what the kernel did not take when it was
 * offered to it, without output that the current iterations still gather. From any thread.
 */
void jz_statistics_sum(const jz_server *server, jz_statistics *statistics);

#endif
