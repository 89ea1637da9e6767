/* Pages for operators and for the programs that watch a server: metrics and health. */
#ifndef JAZZY_METRICS_H
#define JAZZY_METRICS_H

#include "audience.h"
#include "compiler.h"
#include "error.h"
#include "server.h"

JZ_BEGIN_DECLARATIONS

/*
 * Registers a page with the metrics of the server, before it runs. `path` is as for jz_server_route_get, for instance
 * "/metrics". A client whose Accept prefers it gets OpenMetrics 1.0, any other gets the text format of Prometheus,
 * 0.0.4; in both the names begin with jazzy_, or are those of every process (process_…). The counters are those of
 * jz_server_statistics, exact to the byte; times are histograms.
 *
 * Labels are the route, the number of the loop, and words such as a reason: never a topic, an address or a user. The
 * first 64 WebSocket routes have histograms of their own, all further ones those with the route "others".
 *
 * Whoever can reach the page can read it: let the proxy in front of the server keep it from the outside, or use the
 * function below. One page takes
 * about 0.1 ms of its loop, however many connections there are, and a loop makes it at most once in an iteration.
 *
 * With such a page the server also measures times: of handlers, for about one message of 64, of WebSockets, and of the
 * pings that it sends, for which each connection takes 8 bytes more; and ten times a second, how late each loop is.
 */
JZ_PUBLIC jz_status jz_server_route_metrics(jz_server *server, const char *path, jz_error *error);

/*
 * The same for those whom the audience admits; others are answered with 403, which is counted as JZ_REFUSAL_REJECTED,
 * and logged. `audience` NULL: for everybody; all zero: for programs on this machine. It is copied.
 */
JZ_PUBLIC jz_status jz_server_route_metrics_for(jz_server *server, const char *path, const jz_audience *audience,
                                                jz_error *error);

/*
 * Registers three pages for those who decide whether the server gets clients, or is restarted, before it runs. Each
 * answers with 200 if all is well, and else with 503, and says as JSON what is the matter. With the path "/health":
 *
 *   /health/live    whether the server is alive: no loop has been in one iteration for 10 seconds, for instance because
 *                   a handler does not return. If not, it should be started anew.
 *   /health/ready   whether it should get new clients: it is alive, and neither drains nor stops.
 *   /health         the same as ready
 *
 * A server that drains does not listen any more: those who connect anew are refused, and those who ask over a
 * connection that they have kept are told that it is not ready. The pages are neither logged nor counted as refusals.
 */
JZ_PUBLIC jz_status jz_server_route_health(jz_server *server, const char *path, jz_error *error);

JZ_END_DECLARATIONS

#endif
