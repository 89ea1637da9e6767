#include "lifecycle/pacing.h"

#include "lifecycle/watch.h"
#include "output/sending.h"
#include "shard/hold.h"

bool jz_pacing_begin(jz_shard *shard, jz_connection *connection)
{
    const jz_message_rate *rate = &jz_connection_route(connection)->options.message_rate;
    if (rate->per_second == 0)
        return true;
    if (!jz_allowances_ensure(&shard->allowances, connection->slot))
        return false;
    jz_allowance_begin(jz_allowance_of(shard, connection), rate, shard->turn.loop.now_ms);
    return true;
}

static void note(jz_shard *shard, jz_exceeding what)
{
    jz_count(&shard->turn.counters.exceeded[what], 1);
}

static void close_for_rate(jz_shard *shard, jz_connection *connection)
{
    static const char reason[] = "too many messages";
    jz_address peer = jz_connection_peer(connection);
    note(shard, JZ_EXCEEDING_CLOSE);
    const jz_log_about about = {.route = jz_connection_route(connection)->path,
                                .cause = jz_close_cause_name(JZ_CAUSE_MESSAGE_RATE),
                                .is_peers_fault = true};
    jz_peer_log_tell(shard, &peer, &about, "closed: it sent more messages than %.100s allows (message_rate)",
                     about.route);
    if (jz_connection_close(&shard->turn, connection, JZ_CAUSE_MESSAGE_RATE, JZ_CLOSE_POLICY_VIOLATION,
                            jz_text_of(reason)) == JZ_SEND_DROPPED)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}

/* Pauses reading when nothing is left, so that no message has to be kept that was received already. */
static void pause_if_used_up(jz_shard *shard, jz_connection *connection, jz_allowance *allowance)
{
    uint32_t wait_ms = jz_allowance_wait_ms(allowance, &jz_connection_route(connection)->options.message_rate);
    if (wait_ms == 0)
        return;
    jz_ration_look_soon(&shard->ration);
    if ((allowance->holds & JZ_HOLD_RATE) != 0)
        return;
    note(shard, JZ_EXCEEDING_PAUSE);
    jz_hold_begin(shard, connection, JZ_HOLD_RATE);
    jz_watch_wait(shard, connection, wait_ms);
}

bool jz_pacing_admits(jz_shard *shard, jz_connection *connection, jz_message_kind kind)
{
    const jz_message_rate *rate = &jz_connection_route(connection)->options.message_rate;
    jz_allowance *allowance = jz_allowance_of(shard, connection);
    jz_allowance_fill(allowance, rate, shard->turn.loop.now_ms);
    if (rate->exceeding == JZ_EXCEEDING_PAUSE) {
        jz_allowance_charge(allowance, kind);
        pause_if_used_up(shard, connection, allowance);
        return true;
    }
    if (jz_allowance_take(allowance, kind))
        return true;
    if (rate->exceeding == JZ_EXCEEDING_CLOSE)
        close_for_rate(shard, connection);
    else
        note(shard, JZ_EXCEEDING_DROP);
    return false;
}

void jz_pacing_expect_pong(jz_shard *shard, const jz_connection *connection)
{
    jz_allowance *allowance = jz_allowance_of(shard, connection);
    if (allowance == NULL)
        return;
    const jz_message_rate *rate = &jz_connection_route(connection)->options.message_rate;
    jz_allowance_fill(allowance, rate, shard->turn.loop.now_ms);
    jz_allowance_expect_pong(allowance, rate);
}

bool jz_pacing_expired(jz_shard *shard, jz_connection *connection)
{
    const jz_message_rate *rate = &jz_connection_route(connection)->options.message_rate;
    jz_allowance *allowance = jz_allowance_of(shard, connection);
    if (allowance == NULL || (allowance->holds & JZ_HOLD_RATE) == 0)
        return false;
    jz_allowance_fill(allowance, rate, shard->turn.loop.now_ms);
    uint32_t wait_ms = jz_allowance_wait_ms(allowance, rate);
    if (wait_ms > 0) {
        jz_watch_wait(shard, connection, wait_ms);
        return true;
    }
    jz_hold_end(shard, connection, JZ_HOLD_RATE);
    /* Who was not read from could not show that it is there. */
    jz_connection_note_activity(connection, shard->turn.loop.now_ms);
    jz_watch_go_on(shard, connection);
    if (!connection->is_behind && jz_session_has_kept(&connection->session))
        jz_kept_input_note(shard, connection);
    return true;
}
