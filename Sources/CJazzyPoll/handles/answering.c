/* The public functions that answer a handshake: at once on its own loop, with an errand from other threads. */
#include "handles/access.h"
#include "session/answer.h"
#include "shard/errand.h"
#include "http/handshake.h"
#include "shard/server.h"

static jz_ws ws_of(jz_handshake handshake)
{
    return (jz_ws){handshake.value};
}

/* On the loop that owns the connection. */
static jz_answer_status answer_here(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    return connection != NULL ? jz_handshake_answer(shard, connection, answer) : JZ_ANSWER_LATE;
}

static jz_answer_status answer_from_elsewhere(jz_shard *shard, jz_handshake handshake, jz_answer *answer)
{
    const jz_routes *routes = &shard->server->routes;
    if (handshake.route >= routes->count || !jz_handle_is(shard, ws_of(handshake), JZ_VISIBLE_ASKING))
        return JZ_ANSWER_LATE;
    /* Safe on any thread: routes do not change while a server runs. */
    answer->release_state = shard->routes[handshake.route].route->options.release_state;
    switch (jz_errand_answer(shard, ws_of(handshake), answer)) {
    case JZ_SEND_QUEUED:
        return JZ_ANSWER_TAKEN;
    case JZ_SEND_CLOSED:
        return JZ_ANSWER_LATE;
    default:
        return JZ_ANSWER_OUT_OF_MEMORY;
    }
}

/* If TAKEN, takes ownership of the answer; else frees it, and the caller owns the state again. */
static jz_answer_status give(jz_handshake handshake, jz_answer *answer)
{
    jz_ws ws = ws_of(handshake);
    jz_shard *own = jz_own_shard_in_order(ws); /* earlier answers, from any thread, come first */
    jz_answer_status status = JZ_ANSWER_LATE;
    if (own != NULL) {
        status = answer_here(own, ws, answer);
    } else {
        jz_shard *shard = jz_enter_shard(ws);
        if (shard != NULL) {
            status = answer_from_elsewhere(shard, handshake, answer);
            jz_leave_shard(ws);
        }
    }
    if (status != JZ_ANSWER_TAKEN) {
        answer->state = NULL;
        jz_answer_free(answer);
    }
    return status;
}

jz_answer_status jz_handshake_accept(jz_handshake handshake, const jz_acceptance *acceptance)
{
    jz_answer *answer = NULL;
    jz_answer_status status = jz_answer_accepting(acceptance, &answer);
    return status == JZ_ANSWER_TAKEN ? give(handshake, answer) : status;
}

jz_answer_status jz_handshake_reject(jz_handshake handshake, const jz_rejection *rejection)
{
    jz_answer *answer = NULL;
    jz_answer_status status = jz_answer_rejecting(rejection, &answer);
    return status == JZ_ANSWER_TAKEN ? give(handshake, answer) : status;
}

bool jz_handshake_is_waiting(jz_handshake handshake)
{
    jz_ws ws = ws_of(handshake);
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return false;
    bool result = jz_handle_is(shard, ws, JZ_VISIBLE_ASKING);
    jz_leave_reached_shard(ws, shard);
    return result;
}
