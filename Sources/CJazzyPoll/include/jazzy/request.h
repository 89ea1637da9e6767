/* The request that asks for a WebSocket, and the answer to it: who is let in. */
#ifndef JAZZY_REQUEST_H
#define JAZZY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* Text as the client sent it, where not said otherwise: not terminated, not checked for UTF-8, borrowed from the
   request. */
typedef struct jz_string {
    const char *start; /* never NULL */
    size_t length;     /* in bytes */
} jz_string;

/* A request for a WebSocket, borrowed until the upgrade hook returns. Its handshake is valid and its origin allowed. */
typedef struct jz_request jz_request;

/* The path, and what follows its '?', both with percent-encoding as it came. */
JZ_PUBLIC jz_string jz_request_path(const jz_request *request);
JZ_PUBLIC jz_string jz_request_query(const jz_request *request);

/*
 * Each of these finds a value by a name and returns whether there is one; `value` may be NULL. A path parameter is a
 * ":name" of the route's path, and is decoded: it may have a '/', which came as "%2F", and any other byte but NUL, but
 * is never "." or "..". What is no percent-encoding in it stays as it came. A query value follows "name=", and comes
 * with percent-encoding: jz_percent_decode. Header names are compared without regard to case; the first line of that
 * name counts.
 */
JZ_PUBLIC bool jz_request_parameter(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_query_value(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_header(const jz_request *request, const char *name, jz_string *value);
JZ_PUBLIC bool jz_request_cookie(const jz_request *request, const char *name, jz_string *value);

/* All headers, in their order, and all path parameters. False where `index` is beyond the last. */
JZ_PUBLIC bool jz_request_header_at(const jz_request *request, size_t index, jz_string *name, jz_string *value);
JZ_PUBLIC bool jz_request_parameter_at(const jz_request *request, size_t index, jz_string *name, jz_string *value);

/* The subprotocols that the client offers, the one it likes best first. False where `index` is beyond the last. */
JZ_PUBLIC bool jz_request_subprotocol_at(const jz_request *request, size_t index, jz_string *subprotocol);

/* The client's address, as jz_ws_remote_address will write it. Returns its length. */
JZ_PUBLIC size_t jz_request_remote_address(const jz_request *request, char text[JZ_REMOTE_ADDRESS_SIZE]);

/*
 * Decodes "%2F" and, where `plus_is_space`, as in queries, '+'. Writes at most `text.length` bytes to `decoded`, which
 * is not terminated, and how many to `length`. False where an escape is ill-formed.
 */
JZ_PUBLIC bool jz_percent_decode(jz_string text, bool plus_is_space, char *decoded, size_t *length);

/*
 * The question whether a client is let in. A value: it may be kept and answered later, from any thread. After it was
 * answered, the time-out has passed or the connection is gone, an answer does nothing. Nothing is read from the client
 * meanwhile: one that left in order is found out after the answer, and has an open and a close event.
 */
typedef struct jz_handshake {
    uint64_t value; /* that of the jz_ws which the connection will have */
    uint32_t route; /* its number, as the server counts them */
} jz_handshake;

/*
 * Called when a client asks for a WebSocket, on the thread of its loop: it must not block. It answers with
 * jz_handshake_accept or jz_handshake_reject, at once or later; until then nothing is read from the client. After the
 * route's upgrade_timeout_ms the client is answered with 503. `context` is what the route was registered with.
 */
typedef void (*jz_upgrade_hook)(void *context, jz_handshake handshake, const jz_request *request);

/*
 * Called once for each call of the upgrade hook, on the same thread and never within it, when the question is over:
 * when its answer is about to be sent, before an open event; after the route's upgrade_timeout_ms; when the client has
 * reset the connection; and when the server stops. Whatever the hook began for an answer that is still to come can be
 * given up: it would be LATE.
 */
typedef void (*jz_upgrade_end)(void *context, jz_handshake handshake);

/* A header of a response. Neither part may have line ends or other control characters. */
typedef struct jz_response_header {
    const char *name;
    const char *value;
} jz_response_header;

/* How a client is let in. All zero is as if there were no hook. */
typedef struct jz_acceptance {
    const char *subprotocol; /* one that the client offers; "" is none; NULL: what the route's list says. For one that
                                it does not offer it is answered with 500 instead, and the log says so. */
    const jz_response_header *headers; /* further headers of the response, for instance Set-Cookie */
    size_t header_count;
    void *state; /* what jz_ws_state will be from the open event on; NULL is none. It is the connection's once this
                    was taken: if there is no open event, release_state is called, on the loop or by the
                    thread that ends the server. */
} jz_acceptance;

/* How a client is sent away: with a status of 300 to 599, but for 304, after which the connection ends. */
typedef struct jz_rejection {
    int status;
    const jz_response_header *headers; /* further headers of the response, for instance WWW-Authenticate or Location */
    size_t header_count;
    const char *content_type; /* NULL: a short text says what the status means, and `body` does not count */
    const void *body;
    size_t length; /* in bytes */
} jz_rejection;

/* What became of an answer. */
typedef enum jz_answer_status {
    JZ_ANSWER_TAKEN,
    JZ_ANSWER_LATE, /* the connection is gone or was answered already: nothing was done */
    /* A header, the status or the subprotocol may not be sent: the question stays open. Headers that the server sets
       itself may not be given: Connection, Upgrade, Date, Content-Length, Content-Type, Transfer-Encoding and
       Sec-WebSocket-*. */
    JZ_ANSWER_INVALID,
    JZ_ANSWER_OUT_OF_MEMORY /* the question stays open */
} jz_answer_status;

/*
 * Both copy what they are given, may be called from any thread and, within the hook, at once. No handler is called
 * before they return. Where two threads answer the same question, the first counts; the state of an acceptance that was
 * TAKEN is released if it comes second. `acceptance` NULL is all zero.
 */
JZ_PUBLIC jz_answer_status jz_handshake_accept(jz_handshake handshake, const jz_acceptance *acceptance);
JZ_PUBLIC jz_answer_status jz_handshake_reject(jz_handshake handshake, const jz_rejection *rejection);

/* Whether the client still waits for an answer. From any thread. */
JZ_PUBLIC bool jz_handshake_is_waiting(jz_handshake handshake);

JZ_END_DECLARATIONS

#endif
