/* The application's answer to a handshake, or to a request for a page, checked and copied. From any thread. */
#ifndef JAZZY_SESSION_ANSWER_H
#define JAZZY_SESSION_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"
#include "session/buffer.h"
#include "jazzy/page.h"
#include "jazzy/request.h"

/* One allocation, which includes the texts. */
typedef struct jz_answer {
    bool accepts;
    int status;                /* of a rejection, or a page */
    uint32_t exchange;         /* jz_page_request.number of a page; 0: answers a handshake */
    bool names_subprotocol;    /* an acceptance that chooses the subprotocol itself, perhaps none */
    bool declines_compression; /* likewise */
    jz_text subprotocol;
    jz_text headers;      /* whole lines with CR LF */
    jz_text content_type; /* of a rejection, or a page; NUL-terminated. Empty: the application gave no body */
    jz_text body;
    void *state; /* of an acceptance; owned */
    void (*release_state)(void *state);
} jz_answer;

/* Fill in `answer`, to be freed with jz_answer_free. INVALID or OUT_OF_MEMORY: it was not filled in. */
jz_answer_status jz_answer_accepting(const jz_acceptance *acceptance, jz_answer **answer);
jz_answer_status jz_answer_rejecting(const jz_rejection *rejection, jz_answer **answer);
jz_answer_status jz_answer_responding(const jz_page_response *response, uint32_t exchange, jz_answer **answer);

/* Frees the answer, and releases its state unless that was taken out. NULL does nothing. */
void jz_answer_free(jz_answer *answer);

#endif
