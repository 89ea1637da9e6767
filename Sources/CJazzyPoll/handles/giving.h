/* An answer's way to the connection that waits for it: at once on its own loop, with an errand from other threads. */
#ifndef JAZZY_HANDLES_GIVING_H
#define JAZZY_HANDLES_GIVING_H

#include "jazzy/request.h"
#include "session/answer.h"

/*
 * Gives an answer to a handshake, or to a request for a page. `route`: the server's number of its route. If TAKEN,
 * takes ownership of the answer; else frees it, and the caller owns the state again.
 */
jz_answer_status jz_answer_give(jz_ws ws, uint32_t route, jz_answer *answer);

#endif
