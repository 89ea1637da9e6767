/* The answer to a handshake, as an application gives it: checked and copied, on whichever thread that is. */
#ifndef JAZZY_SESSION_ANSWER_H
#define JAZZY_SESSION_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"
#include "session/buffer.h"
#include "jazzy/request.h"

/* One piece of memory; the texts lie in it. */
typedef struct jz_answer {
    bool accepts;
    int status;             /* of a rejection */
    bool names_subprotocol; /* an acceptance that chooses one itself, or none */
    jz_text subprotocol;
    jz_text headers;      /* whole lines with CR LF */
    jz_text content_type; /* of a rejection; terminated. Empty: there is no body of its own */
    jz_text body;
    void *state; /* of an acceptance; owned */
    void (*release_state)(void *state);
} jz_answer;

/* Fill in `answer`, which the caller gives back with jz_answer_free. INVALID or OUT_OF_MEMORY: there is none. */
jz_answer_status jz_answer_accepting(const jz_acceptance *acceptance, jz_answer **answer);
jz_answer_status jz_answer_rejecting(const jz_rejection *rejection, jz_answer **answer);

/* Frees it, and releases the state where that was not taken out. NULL does nothing. */
void jz_answer_free(jz_answer *answer);

#endif
