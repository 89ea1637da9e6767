#include "handles/giving.h"

#include "handles/access.h"
#include "http/asking.h"
#include "shard/errand.h"
#include "shard/server.h"

/* On the loop that owns the connection. */
static jz_answer_status answer_here(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    return connection != NULL ? jz_asking_answer(shard, connection, answer) : JZ_ANSWER_LATE;
}

static jz_answer_status answer_from_elsewhere(jz_shard *shard, jz_ws ws, uint32_t route, jz_answer *answer)
{
    const jz_routes *routes = &shard->server->routes;
    if (route >= routes->count || !jz_handle_is(shard, ws, JZ_VISIBLE_ASKING))
        return JZ_ANSWER_LATE;
    /* Safe on any thread: routes do not change while a server runs. */
    answer->release_state = shard->routes[route].route->options.release_state;
    switch (jz_errand_answer(shard, ws, answer)) {
    case JZ_SEND_QUEUED:
        return JZ_ANSWER_TAKEN;
    case JZ_SEND_CLOSED:
        return JZ_ANSWER_LATE;
    default:
        return JZ_ANSWER_OUT_OF_MEMORY;
    }
}

jz_answer_status jz_answer_give(jz_ws ws, uint32_t route, jz_answer *answer)
{
    jz_shard *own = jz_own_shard_in_order(ws); /* earlier answers, from any thread, come first */
    jz_answer_status status = JZ_ANSWER_LATE;
    if (own != NULL) {
        status = answer_here(own, ws, answer);
    } else {
        jz_shard *shard = jz_enter_shard(ws);
        if (shard != NULL) {
            status = answer_from_elsewhere(shard, ws, route, answer);
            jz_leave_shard(ws);
        }
    }
    if (status != JZ_ANSWER_TAKEN) {
        answer->state = NULL;
        jz_answer_free(answer);
    }
    return status;
}
