/*
 * Jazzy: a WebSocket server library (RFC 6455, RFC 7692). This is the header for users of the C core.
 *
 * A server in five steps; the complete program is Examples/echo-server.c:
 *
 *     static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
 *     {
 *         if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
 *             jz_ws_send(ws, message->kind, message->bytes, message->length);
 *     }
 *
 *     jz_server *server = jz_server_create(NULL, &error);                    // 1. options: NULL means defaults
 *     jz_server_route_ws(server, "/echo", NULL, echo, NULL, &error);         // 2. routes
 *     jz_server_listen(server, NULL, 8080, &error);                          // 3. an address and a port
 *     jz_server_run_until_signal(server, &error);                            // 4. blocks until Ctrl-C or SIGTERM
 *     jz_server_destroy(server);                                             // 5. frees everything
 *
 * How it behaves
 *   - A handler is *called* when something happens and must return soon: it runs on the thread of the event loop that
 *     owns the connection. It never waits for a message.
 *   - Events of one connection never overlap and keep this order: one JZ_EVENT_OPEN, any number of
 *     JZ_EVENT_MESSAGE, at most one JZ_EVENT_ERROR, exactly one JZ_EVENT_CLOSE.
 *   - No function of this library ever calls a handler before it returns. The events that a call causes come later, so
 *     a handler may send to or close any connection, its own included, and may do so while it holds a lock.
 *   - A connection is named by a `jz_ws`, a plain 64-bit value. It may be copied, compared, kept and used from any
 *     thread for ever: after the connection is gone, every call with it returns "closed".
 *   - What a handler receives (`event`, `message` and the bytes they point to) is borrowed until the handler returns.
 *     What is passed to a function is copied before it returns. The only thing to free is the server.
 */
#ifndef JAZZY_H
#define JAZZY_H

#include "jazzy/audience.h"
#include "jazzy/error.h"
#include "jazzy/event.h"
#include "jazzy/files.h"
#include "jazzy/history.h"
#include "jazzy/insight.h"
#include "jazzy/log.h"
#include "jazzy/metrics.h"
#include "jazzy/options.h"
#include "jazzy/page.h"
#include "jazzy/presence.h"
#include "jazzy/request.h"
#include "jazzy/server.h"
#include "jazzy/statistics.h"
#include "jazzy/times.h"
#include "jazzy/version.h"
#include "jazzy/websocket.h"

#endif
