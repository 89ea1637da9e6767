/*
 * The head of an HTTP/1.1 request (RFC 9112), parsed strictly: whatever two parsers could understand differently is
 * refused.
 */
#ifndef JAZZY_CODEC_REQUEST_HEAD_H
#define JAZZY_CODEC_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

enum {
    JZ_DEFAULT_HEAD_LENGTH = 8192, /* bytes, the empty line at the end included */
    JZ_MAX_HEAD_LENGTH = 65536,
    JZ_DEFAULT_HEADERS = 64,
    JZ_MAX_HEADERS = 256 /* a head is on the stack while it is answered: 8 KiB of headers */
};

/* Larger heads are refused. */
typedef struct jz_head_limits {
    size_t max_length;  /* bytes, the empty line at the end included: at most JZ_MAX_HEAD_LENGTH */
    size_t max_headers; /* at most JZ_MAX_HEADERS */
} jz_head_limits;

typedef enum jz_head_result {
    JZ_HEAD_COMPLETE,
    JZ_HEAD_INCOMPLETE,
    JZ_HEAD_MALFORMED,          /* answer 400 */
    JZ_HEAD_TOO_LARGE,          /* answer 431 */
    JZ_HEAD_UNSUPPORTED_VERSION /* answer 505: well-formed, and not HTTP/1.x */
} jz_head_result;

typedef struct jz_header {
    jz_text name;
    jz_text value; /* without white space around it */
} jz_header;

/* Texts point into the bytes that were parsed, or are static. */
typedef struct jz_request_head {
    const char *fault; /* if the head was refused: what is wrong, and what was expected; static */
    jz_text method;
    jz_text authority; /* of a target in absolute form, which overrides Host (RFC 9112 §3.2.2); else empty */
    jz_text path;      /* begins with '/', or is "*"; as sent, percent-encoding included */
    jz_text query;     /* what follows the first '?', or empty */
    int minor_version; /* 0 or 1; a higher one counts as 1 */
    size_t header_count;
    jz_header headers[JZ_MAX_HEADERS];
} jz_request_head;

/*
 * Looks for the end of a head that may be incomplete. `*scanned` is how many of the bytes earlier calls have scanned
 * (at first 0), and is updated, so that no byte is scanned twice. When COMPLETE, `*head_length` is where the head ends.
 * A bare CR, a bare LF and a NUL are refused at once (RFC 9112 §2.2).
 */
jz_head_result jz_request_head_find_end(const char *bytes, size_t length, const jz_head_limits *limits, size_t *scanned,
                                        size_t *head_length);

/* What is wrong with bytes that jz_request_head_find_end refused: a clause, static. */
const char *jz_request_head_fault(const char *bytes, size_t length);

/* Parses a complete head that jz_request_head_find_end found within the same limits. Never returns INCOMPLETE. */
jz_head_result jz_request_head_parse(const char *bytes, size_t head_length, const jz_head_limits *limits,
                                     jz_request_head *head);

/* Finds the first header of that name. Returns how many headers have it; `value` may be NULL. */
size_t jz_request_head_find(const jz_request_head *head, const char *name, jz_text *value);

/*
 * The host, and perhaps the port, that a request is for: from its target, else from Host (RFC 9112 §3.2.2, §3.3); empty
 * if the client names none. Returns NULL, or what is wrong: HTTP/1.1 requires exactly one Host, which is uri-host [ ":"
 * port ], or empty if the target has no authority (§3.2).
 */
const char *jz_request_head_host(const jz_request_head *head, jz_text *host);

/* Whether a header that is a list of tokens has this one, in any of its lines (RFC 9110 §5.6.1). Ignores case. */
bool jz_request_head_lists(const jz_request_head *head, const char *name, const char *token);

#endif
