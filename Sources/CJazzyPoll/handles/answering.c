/* The public functions that answer a handshake. */
#include "handles/access.h"
#include "handles/giving.h"

static jz_ws ws_of(jz_handshake handshake)
{
    return (jz_ws){handshake.value};
}

jz_answer_status jz_handshake_accept(jz_handshake handshake, const jz_acceptance *acceptance)
{
    jz_answer *answer = NULL;
    jz_answer_status status = jz_answer_accepting(acceptance, &answer);
    return status == JZ_ANSWER_TAKEN ? jz_answer_give(ws_of(handshake), handshake.route, answer) : status;
}

jz_answer_status jz_handshake_reject(jz_handshake handshake, const jz_rejection *rejection)
{
    jz_answer *answer = NULL;
    jz_answer_status status = jz_answer_rejecting(rejection, &answer);
    return status == JZ_ANSWER_TAKEN ? jz_answer_give(ws_of(handshake), handshake.route, answer) : status;
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
