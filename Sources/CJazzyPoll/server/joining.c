/* The public functions with which a server gets a broker, and which tell whether that is connected. */
#include "jazzy/broker.h"

#include <errno.h>

#include "config/log.h"
#include "lifecycle/shard_loop.h"
#include "loop/report.h"
#include "pubsub/membership.h"
#include "pubsub/shared_past.h"
#include "shard/gap.h"
#include "shard/server.h"

static const char *missing_function(const jz_broker *broker)
{
    if (broker == NULL)
        return "table";
    if (broker->start == NULL)
        return "start";
    if (broker->stop == NULL)
        return "stop";
    if (broker->subscribe == NULL)
        return "subscribe";
    if (broker->unsubscribe == NULL)
        return "unsubscribe";
    return broker->publish == NULL && broker->publish_except == NULL ? "publish" : NULL;
}

jz_status jz_server_join(jz_server *server, const jz_broker *broker, jz_error *error)
{
    const char *missing = missing_function(broker);
    int state = atomic_load(&server->state);
    if (missing != NULL)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "cannot join: the broker's %s is NULL; it needs all of them",
                         missing);
    if (broker->is_ordered && broker->publish_except == NULL)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "cannot join: a broker that is ordered needs publish_except, to know who does not receive");
    if ((broker->publish_kept == NULL) != (broker->fetch == NULL))
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "cannot join: a broker that keeps histories needs both publish_kept and fetch");
    if (state != JZ_SERVER_CREATED && state != JZ_SERVER_LISTENING)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot join: do it before the server runs");
    if (atomic_load(&server->membership) != NULL)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot join: the server has a broker, and takes one only");
    jz_membership *membership = jz_membership_create(broker);
    if (membership == NULL)
        return jz_report_system(error, ENOMEM, "join a broker");
    membership->interest.history = &server->history;
    server->company = jz_company_runner_create(server->presence, membership, &server->options);
    if (server->company == NULL) {
        jz_membership_destroy(membership);
        return jz_report_system(error, ENOMEM, "join a broker");
    }
    for (uint32_t i = 0; i < server->shard_count; i++)
        jz_shard_join(&server->shards[i], &membership->owner);
    /* Other threads may already publish, or ask for statistics. */
    atomic_store(&server->membership, membership);
    return JZ_OK;
}

bool jz_server_is_live(jz_server *server, const char *topic, size_t topic_length)
{
    jz_membership *membership = atomic_load(&server->membership);
    return membership == NULL || jz_membership_is_live(membership, (jz_text){topic, topic_length});
}

bool jz_broker_is_stopping(const jz_server *server)
{
    return atomic_load(&server->stop_is_requested);
}

/* What others have published before it was known to be lost, and until it was back, did not come here. */
static void renew(jz_server *server, bool is_joined)
{
    jz_history_renew_all(server->history);
    if (is_joined)
        jz_gap_tell_of_all(server);
}

void jz_broker_set_joined(jz_server *server, bool is_joined)
{
    size_t told = 0;
    jz_membership *membership = atomic_load(&server->membership);
    bool keeps = membership != NULL && jz_membership_keeps(membership) && server->history != NULL;
    /* Before the broker is told of any topic: what follows then is complete. */
    if (keeps && is_joined && !jz_membership_is_joined(membership)) {
        jz_history_miss_all(server->history);
        jz_gap_tell_of_all(server);
    }
    if (membership == NULL || !jz_membership_set_joined(membership, is_joined, &told))
        return;
    if (is_joined)
        jz_company_runner_missed(server->company, NULL);
    if (keeps && !is_joined)
        jz_history_miss_all(server->history);
    else if (!keeps && server->history != NULL)
        renew(server, is_joined);
    if (is_joined)
        jz_log(&server->options, JZ_LOG_INFO,
               "the broker is connected to the other servers, and was told this server's topics: %zu", told);
    else if (jz_membership_is_ordered(membership))
        jz_log(&server->options, JZ_LOG_WARNING,
               "the broker is not connected to the other servers: until it is, publications reach nobody, because all "
               "of them go through it");
    else
        jz_log(&server->options, JZ_LOG_WARNING,
               "the broker is not connected to the other servers: until it is, publications reach this server's "
               "subscribers only");
}
