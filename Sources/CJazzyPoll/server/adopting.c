/* The public functions by which a server gets connections that it has not accepted. */
#include "loop/adopted.h"
#include "loop/report.h"
#include "server/listening.h"
#include "shard/errand.h"
#include "shard/server.h"
#include "shard/stop_request.h"

static const char action[] = "adopt a connection";

/* A server that may run although it does not listen is as one that listens, on no address. */
static bool note_adoption(jz_server *server)
{
    int state = JZ_SERVER_CREATED;
    return atomic_compare_exchange_strong(&server->state, &state, JZ_SERVER_LISTENING) || state == JZ_SERVER_LISTENING;
}

jz_status jz_server_expect_adoption(jz_server *server, jz_error *error)
{
    if (note_adoption(server))
        return JZ_OK;
    return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot expect adoption: do it before the server runs");
}

static jz_status expect_more(const jz_server *server, jz_error *error)
{
    bool ends = atomic_load(&server->stop_is_requested) || atomic_load(&server->drain_is_requested) ||
                atomic_load(&server->state) == JZ_SERVER_STOPPED;
    return !ends ? JZ_OK
                 : jz_report(error, JZ_STATUS_INVALID_STATE,
                             "cannot %s: the server stops, or takes no more because it drains; adopt it by another",
                             action);
}

/* Fills in the arrival, except for how it is counted. */
static jz_status examine(const jz_server *server, const jz_adopt_options *options, jz_arrival *arrival, jz_error *error)
{
    const jz_listening listening = jz_server_listening(server, false);
    jz_adopted adopted;
    jz_status status = jz_adopted_examine(arrival->descriptor, options->transport != NULL, &adopted, error);
    if (status == JZ_OK && options->remote_address != NULL &&
        !jz_address_parse(jz_text_of(options->remote_address), &adopted.address))
        status = jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                           "cannot %s: its address is \"%.60s\"; it has to be one as \"192.0.2.7:4711\" or "
                           "\"[2001:db8::7]:4711\"",
                           action, options->remote_address);
    if (status == JZ_OK)
        status = jz_adopted_prepare(arrival->descriptor, &adopted, &listening, error);
    arrival->is_no_socket = !adopted.is_socket;
    arrival->address = adopted.address;
    return status;
}

static jz_status hand_over(jz_shard *shard, const jz_arrival *arrival, jz_error *error)
{
    switch (jz_errand_hand_over(shard, arrival)) {
    case JZ_SEND_DROPPED:
        return jz_report(error, JZ_STATUS_OUT_OF_MEMORY, "cannot %s: out of memory", action);
    case JZ_SEND_CLOSED:
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot %s: the server has stopped", action);
    default:
        return JZ_OK;
    }
}

static jz_status let_in(jz_shard *shard, jz_arrival *arrival, jz_error *error)
{
    jz_refusal why;
    if (!jz_arrival_let_in(shard->server, arrival, &why))
        return jz_report(error, JZ_STATUS_LIMIT_REACHED, "cannot %s: %s; try again later", action,
                         jz_refusal_text(why));
    /* Once more, now that it is counted: see ending.c. */
    jz_status status = expect_more(shard->server, error);
    if (status == JZ_OK)
        status = hand_over(shard, arrival, error);
    if (status != JZ_OK)
        jz_arrival_uncount(shard->server, arrival);
    return status;
}

jz_status jz_server_adopt(jz_server *server, int descriptor, const jz_adopt_options *options, jz_error *error)
{
    static const jz_adopt_options no_options;
    if (options == NULL)
        options = &no_options;
    jz_arrival arrival = {
        .descriptor = descriptor, .listening = {options->transport, options->transport_context}, .is_adopted = true};
    jz_status status = expect_more(server, error);
    if (status == JZ_OK)
        status = jz_server_expect_whole(options->transport, action, error);
    if (status == JZ_OK)
        status = examine(server, options, &arrival, error);
    if (status != JZ_OK)
        return status;
    uint32_t number = atomic_fetch_add_explicit(&server->next_adopting, 1, memory_order_relaxed) % server->shard_count;
    jz_shard *shard = &server->shards[number];
    if (!jz_errand_may_wait(shard))
        return jz_report(error, JZ_STATUS_LIMIT_REACHED,
                         "cannot %s: a loop has as many calls waiting as it may (mailbox_limit); try again later",
                         action);
    status = let_in(shard, &arrival, error);
    if (status == JZ_OK)
        note_adoption(server);
    return status;
}
