/* The request for a WebSocket, and the application's answer to it. */
#ifndef JAZZY_REQUEST_H
#define JAZZY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/*
 * Text, as the client sent it unless stated otherwise: not NUL-terminated, not checked for UTF-8, borrowed from the
 * request.
 */
typedef struct jz_string {
    const char *start; /* never NULL */
    size_t length;     /* in bytes */
} jz_string;

/*
 * A request for a WebSocket, borrowed until the upgrade hook, or the handler of the open event, returns: its handshake
 * is valid and its origin allowed. Or one for a page, borrowed until the page's handler returns.
 */
typedef struct jz_request jz_request;

/* The path, and the query behind its '?', both with percent-encoding as sent. */
JZ_PUBLIC jz_string jz_request_path(const jz_request *request);
JZ_PUBLIC jz_string jz_request_query(const jz_request *request);

/* The path of its route, as it was registered: with parameters as ":name". */
JZ_PUBLIC jz_string jz_request_route(const jz_request *request);

/*
 * Each of these finds a value by name, and returns whether there is one; `value` may be NULL. A path parameter is a
 * ":name" of the route's path. It is decoded: it can contain any byte but NUL, even a '/', sent as "%2F", but is never
 * "." or ".."; a malformed escape stays as sent. A catch-all, "*name", counts as one: its value has the segments as
 * they were sent, decoded one by one. It does not begin with a '/', and none of its segments is "." or "..", or had a
 * '/' of its own. A query value follows "name=", and is not decoded: see jz_percent_decode. Header names are compared
 * ignoring case; the first header of that name counts.
 */
JZ_PUBLIC bool jz_request_parameter(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_query_value(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_header(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_cookie(const jz_request *request, const char *name, jz_string *value);

/* All headers, in order, and all path parameters. False if `index` is beyond the last. */
JZ_PUBLIC bool jz_request_header_at(const jz_request *request, size_t index, jz_string *name, jz_string *value);
JZ_PUBLIC bool jz_request_parameter_at(const jz_request *request, size_t index, jz_string *name, jz_string *value);

/* The subprotocols that the client offers, in its order of preference. False if `index` is beyond the last. */
JZ_PUBLIC bool jz_request_subprotocol_at(const jz_request *request, size_t index, jz_string *subprotocol);

/* Writes the client's address, as jz_ws_remote_address will. Returns its length. */
JZ_PUBLIC size_t jz_request_remote_address(const jz_request *request, char text[JZ_REMOTE_ADDRESS_SIZE]);

/*
 * Whether the client's connection is encrypted, all the way as far as is known: its transport says so (TLS), or a
 * trusted proxy does, in the place where the server looks for the client's address or host: "proto" of Forwarded,
 * X-Forwarded-Proto (with JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, JZ_CLIENT_ADDRESS_HEADER or
 * JZ_FORWARDED_HOST_X_FORWARDED_HOST), or the SSL field of a PROXY header of version 2. What a header of a trusted
 * proxy says of its client outranks the transport between that proxy and this server.
 */
JZ_PUBLIC bool jz_request_is_secure(const jz_request *request);

/*
 * What the connection's transport knows of the client and of itself, such as "tls.version" or "tls.client.subject"; a
 * plain connection has no such properties. Names are compared exactly. A name may have several values: `nth` counts
 * them from 0. Returns whether there is one; `value` may be NULL. It may have any bytes. There are none, either, if
 * there was no memory for them.
 */
JZ_PUBLIC bool jz_request_property(const jz_request *request, const char *name, size_t nth, jz_string *value);

/* All of them, in the transport's order. False if `index` is beyond the last. */
JZ_PUBLIC bool jz_request_property_at(const jz_request *request, size_t index, jz_string *name, jz_string *value);

/*
 * The request that a connection began with: in the handler of its open event, on the thread of that, with or without an
 * upgrade hook. NULL in all other events and on other threads, and when there is no memory. The request head is parsed
 * again when this is called first, and not at all if it is not called.
 */
JZ_PUBLIC const jz_request *jz_ws_request(jz_ws ws);

/*
 * The same for later: a copy of the request head, which is parsed only when that is asked for, and of the properties.
 * NULL where jz_ws_request would return NULL. To be freed with jz_kept_request_free; any threads may parse it, at the
 * same time.
 */
typedef struct jz_kept_request jz_kept_request;
JZ_PUBLIC jz_kept_request *jz_ws_keep_request(jz_ws ws);
JZ_PUBLIC void jz_kept_request_free(jz_kept_request *kept); /* NULL does nothing */

/* A request that lives until jz_request_free, at most as long as `kept`. NULL when there is no memory. */
JZ_PUBLIC jz_request *jz_kept_request_parse(const jz_kept_request *kept);
JZ_PUBLIC void jz_request_free(jz_request *request); /* NULL does nothing */

/*
 * Decodes percent-encoding and, if `plus_is_space`, as in queries, '+'. Writes at most `text.length` bytes to
 * `decoded`, without a NUL, and their number to `length`. False if an escape is malformed.
 */
JZ_PUBLIC bool jz_percent_decode(jz_string text, bool plus_is_space, char *decoded, size_t *length);

/*
 * A client that waits for the decision whether it is let in. A value: it may be kept and answered later, from any
 * thread. An answer does nothing once the question was answered, the time-out has passed or the connection is gone.
 * Nothing is read from the client meanwhile: if the client closes its side, that is noticed only after the answer, and
 * the connection has an open and a close event.
 */
typedef struct jz_handshake {
    uint64_t value; /* the value of the connection's later jz_ws */
    uint32_t route; /* the server's number of the route */
} jz_handshake;

/*
 * Called when a client requests a WebSocket, on the thread of its loop: it must not block. It answers with
 * jz_handshake_accept or jz_handshake_reject, at once or later; until then nothing is read from the client. After the
 * route's upgrade_timeout_ms the client gets a 503. `context` is what the route was registered with.
 */
typedef void (*jz_upgrade_hook)(void *context, jz_handshake handshake, const jz_request *request);

/*
 * Called once for each call of the upgrade hook, on the same thread but never within it, when the question is over:
 * when its answer is about to be sent, before an open event; after the route's upgrade_timeout_ms; when the client has
 * reset the connection; and when the server stops. If the application has not answered yet, it can cancel its work: an
 * answer would be LATE.
 */
typedef void (*jz_upgrade_end)(void *context, jz_handshake handshake);

/* A header of a response. Neither part may contain line ends or other control characters. */
typedef struct jz_response_header {
    const char *name;
    const char *value;
} jz_response_header;

/* The terms on which a client is let in. All zero means the same as no hook. */
typedef struct jz_acceptance {
    const char *subprotocol; /* one that the client offers; "": none; NULL: chosen from the route's list. If the client
                                does not offer it, the client gets a 500 instead, and the log says so. */
    const jz_response_header *headers; /* further headers of the response, for instance Set-Cookie */
    size_t header_count;
    void *state; /* the value of jz_ws_state from the open event on; NULL: none. The connection owns it once the answer
                    is TAKEN: if there is no open event, release_state is called, on the loop or on the thread that ends
                    the server. */
    bool declines_compression; /* nothing is compressed, although the route and the client would agree to it: for
                                  clients who must not learn from the length of what they get (jz_compression) */
} jz_acceptance;

/* The response for a client that is not let in, with a status of 300 to 599 except 304; then the connection ends. */
typedef struct jz_rejection {
    int status;
    const jz_response_header *headers; /* further headers of the response, for instance WWW-Authenticate or Location */
    size_t header_count;
    const char *content_type; /* NULL: a short text explains the status, and `body` is ignored */
    const void *body;
    size_t length; /* in bytes */
} jz_rejection;

/* The result of an answer. */
typedef enum jz_answer_status {
    JZ_ANSWER_TAKEN,
    JZ_ANSWER_LATE, /* the connection is gone or was answered before: nothing was done */
    /* A header, the status or the subprotocol may not be sent: the question stays open. Headers that the server sets
       itself are not allowed: Connection, Upgrade, Date, Content-Length, Content-Type, Transfer-Encoding and
       Sec-WebSocket-*. */
    JZ_ANSWER_INVALID,
    JZ_ANSWER_OUT_OF_MEMORY /* the question stays open */
} jz_answer_status;

/*
 * Both copy their arguments. They may be called from any thread, and within the hook. No handler is called before they
 * return. If two threads answer the same question, the first answer counts; if the second is an acceptance that was
 * TAKEN all the same, its state is released. `acceptance` NULL means all zero.
 */
JZ_PUBLIC jz_answer_status jz_handshake_accept(jz_handshake handshake, const jz_acceptance *acceptance);
JZ_PUBLIC jz_answer_status jz_handshake_reject(jz_handshake handshake, const jz_rejection *rejection);

/* Whether the client still waits for an answer. From any thread. */
JZ_PUBLIC bool jz_handshake_is_waiting(jz_handshake handshake);

JZ_END_DECLARATIONS

#endif
