/* The head of an HTTP/1.1 request (RFC 9112), read strictly: what two parsers could read differently is refused. */
#ifndef JAZZY_CODEC_REQUEST_HEAD_H
#define JAZZY_CODEC_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

enum {
    JZ_DEFAULT_HEAD_LENGTH = 8192, /* bytes, the empty line at the end included */
    JZ_MAX_HEAD_LENGTH = 65536,
    JZ_DEFAULT_HEADERS = 64,
    JZ_MAX_HEADERS = 256 /* a head lies on the stack while it is answered: 8 KiB of headers */
};

/* How much of a head is read before it is refused. */
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
    jz_text value; /* without white space at its ends */
} jz_header;

/* Texts point into the bytes that were parsed, or are static. */
typedef struct jz_request_head {
    const char *fault; /* what is wrong, and what was expected, where the head was refused; static */
    jz_text method;
    jz_text authority; /* of a target in absolute form, which counts and not Host (RFC 9112 §3.2.2); else empty */
    jz_text path;      /* begins with '/', or is "*"; as sent, percent-encoding included */
    jz_text query;     /* what follows the first '?', or empty */
    int minor_version; /* 0 or 1; a later one counts as 1 */
    size_t header_count;
    jz_header headers[JZ_MAX_HEADERS];
} jz_request_head;

/*
 * Looks for the end of a head that may be incomplete. `*scanned` is how many of the bytes an earlier call has seen (0
 * at first) and is moved on, so that a head that comes byte by byte is looked at once. When COMPLETE, `*head_length` is
 * where the head ends. A bare CR or LF and a NUL are refused as soon as they are seen (RFC 9112 §2.2).
 */
jz_head_result jz_request_head_find_end(const char *bytes, size_t length, const jz_head_limits *limits, size_t *scanned,
                                        size_t *head_length);

/* What is wrong with bytes in which that found no head: a clause, static. */
const char *jz_request_head_fault(const char *bytes, size_t length);

/* Parses a complete head that jz_request_head_find_end found within the same limits. Never answers INCOMPLETE. */
jz_head_result jz_request_head_parse(const char *bytes, size_t head_length, const jz_head_limits *limits,
                                     jz_request_head *head);

/* Finds the first header of that name. Returns how many there are of it; `value` may be NULL. */
size_t jz_request_head_find(const jz_request_head *head, const char *name, jz_text *value);

/*
 * The host, and perhaps the port, that a request is for: of its target, else of Host (RFC 9112 §3.2.2, §3.3). It is
 * empty where the client leaves it open. NULL, or what is wrong: Host has to be there once, since HTTP/1.1, and is
 * uri-host [ ":" port ], or empty where the target has no authority (§3.2).
 */
const char *jz_request_head_host(const jz_request_head *head, jz_text *host);

/* Whether a header that is a list of tokens, over all its lines, names this one (RFC 9110 §5.6.1). Ignores case. */
bool jz_request_head_lists(const jz_request_head *head, const char *name, const char *token);

#endif
