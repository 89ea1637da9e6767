#include "pubsub/membership.h"

#include <sched.h>
#include <stdlib.h>

#include "loop/count.h"
#include "loop/report.h"

static bool came(void *context, jz_text topic)
{
    jz_membership *membership = context;
    return jz_interest_came(&membership->interest, topic);
}

static void went(void *context, jz_text topic)
{
    jz_membership *membership = context;
    jz_interest_went(&membership->interest, topic);
}

jz_membership *jz_membership_create(const jz_broker *broker)
{
    jz_membership *membership = calloc(1, sizeof *membership);
    if (membership == NULL)
        return NULL;
    membership->broker = *broker;
    membership->owner = (jz_topics_owner){.context = membership, .came = came, .went = went};
    jz_interest_init(&membership->interest, &membership->broker);
    pthread_mutex_init(&membership->report_lock, NULL);
    return membership;
}

void jz_membership_destroy(jz_membership *membership)
{
    if (membership == NULL)
        return;
    jz_interest_destroy(&membership->interest);
    pthread_mutex_destroy(&membership->report_lock);
    free(membership);
}

jz_status jz_membership_start(jz_membership *membership, jz_server *server, jz_error *error)
{
    jz_error own = {0};
    atomic_store(&membership->is_lost, false);
    jz_status status = membership->broker.start(membership->broker.context, server, &own);
    own.message[sizeof own.message - 1] = '\0'; /* strncpy leaves a sentence that does not fit without an end */
    if (status == JZ_OK)
        atomic_store(&membership->state, JZ_MEMBERSHIP_BEGUN);
    else if (own.message[0] == '\0')
        jz_report(error, status, "the broker could not be started, and does not say why");
    else
        jz_report(error, status, "%s", own.message);
    return status;
}

/* Call with the report's lock held. */
static jz_broker_report report_of(const jz_broker *broker)
{
    jz_broker_report report = {0};
    if (broker->report != NULL)
        broker->report(broker->context, &report);
    return report;
}

void jz_membership_stop(jz_membership *membership)
{
    if (atomic_load(&membership->state) != JZ_MEMBERSHIP_BEGUN)
        return;
    atomic_store(&membership->state, JZ_MEMBERSHIP_OVER);
    while (atomic_load(&membership->callers) > 0)
        sched_yield();
    pthread_mutex_lock(&membership->report_lock);
    membership->has_last_report = true;
    membership->last_report = report_of(&membership->broker);
    membership->last_report.is_up = false;
    membership->last_report.queued_bytes = membership->last_report.queued_messages = 0;
    membership->last_report.refused_topics = 0;
    pthread_mutex_unlock(&membership->report_lock);
    jz_interest_end(&membership->interest);
    membership->broker.stop(membership->broker.context);
}

static void count_one(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Whether the broker may be called, until `leave`, which must follow in either case. */
static bool enter(jz_membership *membership)
{
    atomic_fetch_add(&membership->callers, 1);
    return atomic_load(&membership->state) == JZ_MEMBERSHIP_BEGUN;
}

static void leave(jz_membership *membership)
{
    atomic_fetch_sub(&membership->callers, 1);
}

static bool is_taken(jz_send_status status)
{
    return status == JZ_SEND_SENT || status == JZ_SEND_QUEUED;
}

/* What the broker has made of a publication, which it is told is all for now. */
static jz_send_status note_published(jz_membership *membership, bool is_flushed_later, jz_send_status status)
{
    const jz_broker *broker = &membership->broker;
    if (!is_flushed_later && broker->flush != NULL)
        broker->flush(broker->context);
    count_one(is_taken(status) ? &membership->published : &membership->refused);
    return is_taken(status) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

static jz_send_status pass_on(const jz_broker *broker, jz_ws except, jz_text topic, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    if (broker->publish_except != NULL)
        return broker->publish_except(broker->context, except, topic.start, topic.length, kind, bytes, length);
    return broker->publish(broker->context, topic.start, topic.length, kind, bytes, length);
}

bool jz_membership_say(jz_membership *membership, jz_text topic, const void *bytes, size_t length)
{
    const jz_broker *broker = &membership->broker;
    bool is_said = false;
    if (enter(membership)) {
        is_said = is_taken(pass_on(broker, (jz_ws){0}, topic, JZ_MESSAGE_BINARY, bytes, length));
        if (broker->flush != NULL)
            broker->flush(broker->context);
    }
    leave(membership);
    return is_said;
}

jz_send_status jz_membership_publish(jz_membership *membership, bool is_flushed_later, jz_ws except, jz_text topic,
                                     jz_message_kind kind, const void *bytes, size_t length)
{
    jz_send_status status = JZ_SEND_CLOSED;
    if (enter(membership)) {
        status = pass_on(&membership->broker, except, topic, kind, bytes, length);
        status = note_published(membership, is_flushed_later, status);
    }
    leave(membership);
    return status;
}

jz_send_status jz_membership_publish_kept(jz_membership *membership, bool is_flushed_later, jz_ws except, jz_text topic,
                                          const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                          size_t length)
{
    const jz_broker *broker = &membership->broker;
    jz_send_status status = JZ_SEND_CLOSED;
    if (enter(membership)) {
        status = broker->publish_kept(broker->context, except, topic.start, topic.length, history, kind, bytes, length);
        status = note_published(membership, is_flushed_later, status);
    }
    leave(membership);
    return status;
}

bool jz_membership_fetch(jz_membership *membership, jz_text topic, const jz_history_options *history, uint64_t number)
{
    const jz_broker *broker = &membership->broker;
    bool is_asked = enter(membership) && broker->fetch(broker->context, topic.start, topic.length, history, number);
    leave(membership);
    return is_asked;
}

void jz_membership_flush(jz_membership *membership)
{
    const jz_broker *broker = &membership->broker;
    if (broker->flush == NULL)
        return;
    if (enter(membership))
        broker->flush(broker->context);
    leave(membership);
}

bool jz_membership_is_live(jz_membership *membership, jz_text topic)
{
    const jz_broker *broker = &membership->broker;
    bool is_live = enter(membership) && !atomic_load(&membership->is_lost) &&
                   (broker->is_live == NULL || broker->is_live(broker->context, topic.start, topic.length));
    leave(membership);
    return is_live;
}

bool jz_membership_set_joined(jz_membership *membership, bool is_joined, size_t *told)
{
    *told = 0;
    if (atomic_load(&membership->state) == JZ_MEMBERSHIP_OVER ||
        atomic_exchange(&membership->is_lost, !is_joined) == !is_joined)
        return false;
    if (is_joined)
        *told = jz_interest_tell_all(&membership->interest);
    else
        count_one(&membership->losses);
    return true;
}

void jz_membership_count_delivered(jz_membership *membership)
{
    count_one(&membership->delivered);
}

static jz_broker_report current_report(jz_membership *membership)
{
    jz_broker_report report = {0};
    pthread_mutex_lock(&membership->report_lock);
    if (membership->has_last_report)
        report = membership->last_report;
    else if (atomic_load(&membership->state) != JZ_MEMBERSHIP_PLANNED)
        report = report_of(&membership->broker);
    pthread_mutex_unlock(&membership->report_lock);
    return report;
}

jz_broker_statistics jz_membership_statistics(jz_membership *membership)
{
    bool is_joined = atomic_load(&membership->state) == JZ_MEMBERSHIP_BEGUN && !atomic_load(&membership->is_lost);
    return (jz_broker_statistics){.joined = is_joined ? 1 : 0,
                                  .losses = jz_counted(&membership->losses),
                                  .topics = jz_counted(&membership->interest.topic_count),
                                  .published = jz_counted(&membership->published),
                                  .refused = jz_counted(&membership->refused),
                                  .delivered = jz_counted(&membership->delivered),
                                  .report = current_report(membership)};
}
