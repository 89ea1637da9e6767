/* The metrics of a server: which there are, and what is said of them. */
#ifndef JAZZY_SERVER_METRICS_H
#define JAZZY_SERVER_METRICS_H

#include "jazzy/server.h"
#include "jazzy/transport.h"
#include "server/exposition.h"

/*
 * Appends all metrics of a server. False when there was no memory: then the text is incomplete. It looks at no
 * connection, so it takes as long for one as for many. From any thread, while the server is prepared to run.
 */
bool jz_metrics_write(const jz_server *server, jz_exposition_format format, jz_buffer *output);

/* Of all transports that tell of themselves, together. False: there is none, and all is zero. From any thread. */
bool jz_transports_sum(const jz_server *server, jz_transport_report *sum);

#endif
