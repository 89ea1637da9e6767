/* The public function that answers a request for a page: at once on its own loop, with an errand from other threads. */
#include "handles/access.h"
#include "http/exchange.h"
#include "session/answer.h"
#include "shard/errand.h"

/* On the loop that owns the connection. */
static jz_answer_status respond_here(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    return connection != NULL ? jz_exchange_answer(shard, connection, answer) : JZ_ANSWER_LATE;
}

static jz_answer_status respond_from_elsewhere(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    if (!jz_handle_is(shard, ws, JZ_VISIBLE_ASKING))
        return JZ_ANSWER_LATE;
    switch (jz_errand_answer(shard, ws, answer)) {
    case JZ_SEND_QUEUED:
        return JZ_ANSWER_TAKEN;
    case JZ_SEND_CLOSED:
        return JZ_ANSWER_LATE;
    default:
        return JZ_ANSWER_OUT_OF_MEMORY;
    }
}

jz_answer_status jz_page_respond(jz_page_request page, const jz_page_response *response)
{
    jz_ws ws = {page.value};
    jz_answer *answer = NULL;
    jz_answer_status status = jz_answer_responding(response, page.number, &answer);
    if (status != JZ_ANSWER_TAKEN)
        return status;
    jz_shard *own = jz_own_shard_in_order(ws); /* earlier answers, from any thread, come first */
    status = JZ_ANSWER_LATE;
    if (own != NULL) {
        status = respond_here(own, ws, answer);
    } else {
        jz_shard *shard = jz_enter_shard(ws);
        if (shard != NULL) {
            status = respond_from_elsewhere(shard, ws, answer);
            jz_leave_shard(ws);
        }
    }
    if (status != JZ_ANSWER_TAKEN)
        jz_answer_free(answer);
    return status;
}
