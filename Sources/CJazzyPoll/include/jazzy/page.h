/* Pages whose content is made for each request. Pages with fixed content: jz_server_route_get. */
#ifndef JAZZY_PAGE_H
#define JAZZY_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "options.h"
#include "request.h"
#include "server.h"

JZ_BEGIN_DECLARATIONS

/*
 * A client that waits for a page. A value: it may be kept and answered later, from any thread. An answer does nothing
 * once the request was answered, the time-out has passed or the connection is gone.
 */
typedef struct jz_page_request {
    uint64_t value; /* of its connection */
    uint32_t route; /* the server's number of the route */
    uint32_t number;
} jz_page_request;

/*
 * Called when a client requests the page with GET or HEAD, on the thread of its loop, where it must not block, or on a
 * worker. It answers with jz_page_respond, at once or later; until then nothing more is read from the client.
 * `request` is borrowed until the handler returns; jz_request_subprotocol_at finds nothing in it that has a meaning.
 * `context` is what the page was registered with.
 */
typedef void (*jz_page_handler)(void *context, jz_page_request page, const jz_request *request);

/*
 * Called once for each call of the handler, on the loop's thread but never within the handler, when an answer would do
 * nothing any more: when there is one, after answer_timeout_ms, when the client has reset the connection, and when the
 * server stops. If the application has not answered yet, it can cancel its work. With JZ_EXECUTION_WORKERS it may be
 * called before the handler, or while that runs.
 */
typedef void (*jz_page_end)(void *context, jz_page_request page);

/* Options of a page. All zero: the defaults. */
typedef struct jz_page_options {
    jz_execution execution;
    uint32_t answer_timeout_ms; /* for the answer, after which the client gets a 503: 100 to 3,600,000; 0, the default:
                                   the server's upgrade_timeout_ms */
    jz_page_end ended;          /* default NULL */
} jz_page_options;

/*
 * Registers a page whose handler is called for every GET and HEAD request, before the server runs. `path` is as for
 * jz_server_route_ws; it may also be a WebSocket route, but has only one page. Requests with content are refused with
 * 400, other methods with 405. A connection with several requests at once has them answered one after the other, each
 * in a later iteration of the loop, so that no client can keep the loop to itself. `options` NULL means all zero. The
 * caller owns `context`, which must live until the server is destroyed.
 */
JZ_PUBLIC jz_status jz_server_route_page(jz_server *server, const char *path, const jz_page_options *options,
                                         jz_page_handler handler, void *context, jz_error *error);

/* What a client gets. A client that asked with HEAD gets it without the body. */
typedef struct jz_page_response {
    int status;               /* 200 to 599, except 205; 0 means 200 */
    const char *content_type; /* for instance "application/json"; NULL: a short text explains the status, and `body` is
                                 ignored. 204 and 304 have no content in any case. */
    const void *body;
    size_t length;                     /* in bytes */
    const jz_response_header *headers; /* further headers, for instance Cache-Control or Location */
    size_t header_count;
} jz_page_response;

/*
 * Copies the response. From any thread, and within the handler. If two threads answer the same request, the first
 * answer counts. INVALID: the status or a header may not be sent (see JZ_ANSWER_INVALID for those that the server sets
 * itself), and the client still waits.
 */
JZ_PUBLIC jz_answer_status jz_page_respond(jz_page_request page, const jz_page_response *response);

JZ_END_DECLARATIONS

#endif
