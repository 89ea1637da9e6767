/* HTTP responses (RFC 9110, RFC 9112). */
#ifndef JAZZY_HTTP_RESPONSE_H
#define JAZZY_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"
#include "session/answer.h"
#include "session/buffer.h"
#include "codec/date.h"

typedef struct jz_response {
    int status;
    const char *extra_headers; /* complete lines with CR LF, or NULL */
    jz_text further_headers;   /* likewise, of the application */
    bool asks_for_upgrade;     /* for 426, which names the protocol (RFC 9110 §15.5.22) */
    const char *content_type;  /* NULL: no content, as in a 204 */
    const void *body;
    size_t length;
    bool body_lasts; /* the body lives as long as the server */
    bool is_head;    /* the answer to a HEAD request: headers only */
    bool keeps_alive;
    bool says_keep_alive; /* to an HTTP/1.0 client, whose default is to close */
} jz_response;

/* A refusal, with a short text as its body. */
jz_response jz_response_refusing(int status);

/* The response that an answer of the application describes, and owns. */
jz_response jz_response_of_answer(const jz_answer *answer);

/* The reason phrase of a status. */
const char *jz_response_reason(int status);

/* Appends a response. False when there is no memory: nothing was appended. */
bool jz_response_append(const jz_response *response, jz_date *date, jz_buffer *output);

#endif
