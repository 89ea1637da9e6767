#include "lifecycle/topic_closing.h"

#include <string.h>

#include "lifecycle/errand_runner.h"
#include "loop/count.h"

enum { MOST_IN_TURN = 256 };

/* How many connections may still be closed in this iteration. */
static size_t allowed(jz_shard *shard)
{
    uint64_t turn = jz_counted(&shard->turn.loop.times.turns);
    if (shard->closing_turn != turn) {
        shard->closing_turn = turn;
        shard->closed_in_turn = 0;
    }
    return shard->closed_in_turn < MOST_IN_TURN ? MOST_IN_TURN - shard->closed_in_turn : 0;
}

/*
 * Who asks for it is closed at once, though many are before it: its handler is called with nothing more. Also if its
 * peer has closed it already.
 */
static void close_asker(jz_shard *shard, jz_topic_closing *closing, jz_text topic)
{
    jz_connection *connection = jz_slots_find(&shard->slots, closing->asker);
    bool is_subscribed = connection != NULL && jz_topics_is_subscribed(&shard->topics, connection, topic);
    if (is_subscribed)
        jz_connection_close_or_break(shard, connection, JZ_CAUSE_APPLICATION, closing->code,
                                     (jz_text){closing->reason, closing->reason_length});
    if (closing->awaiting != NULL)
        jz_work_take_verdict(closing->awaiting, is_subscribed);
    closing->awaiting = NULL;
    closing->asker = (jz_ws){0};
}

/* Closes up to `most` subscribers. Returns whether none is left. */
static bool close_some(jz_shard *shard, jz_errand *task, size_t most)
{
    jz_topic_closing closing;
    memcpy(&closing, task->bytes, sizeof closing);
    const jz_text topic = {(const char *)task->bytes + sizeof closing, task->length - sizeof closing};
    const jz_text reason = {closing.reason, closing.reason_length};
    if (closing.asker.value != 0)
        close_asker(shard, &closing, topic);
    /* Nothing here calls a handler, so the subscribers do not change meanwhile. */
    const jz_topic *found = jz_topics_find(&shard->topics, topic);
    size_t count = found != NULL ? found->count : 0;
    if (closing.left > count)
        closing.left = count;
    for (; closing.left > 0 && most > 0; most--, shard->closed_in_turn++)
        jz_connection_close_or_break(shard, found->subscribers[--closing.left].connection, JZ_CAUSE_APPLICATION,
                                     closing.code, reason);
    memcpy(task->bytes, &closing, sizeof closing);
    return closing.left == 0;
}

void jz_topic_closing_run(jz_shard *shard, jz_errand *task)
{
    if (close_some(shard, task, allowed(shard)))
        jz_errand_discard(shard, &task->letter);
    else
        jz_shard_do_later(shard, &task->letter);
}

void jz_topic_closing_run_later(jz_shard *shard, jz_errand *task)
{
    if (close_some(shard, task, 0))
        jz_errand_discard(shard, &task->letter);
    else
        jz_errand_post(shard, task);
}

void jz_topic_closing_finish(jz_shard *shard)
{
    for (jz_letter *letter = shard->later; letter != NULL; letter = letter->next) {
        if (((jz_errand *)letter)->type == JZ_ERRAND_CLOSE_TOPIC)
            close_some(shard, (jz_errand *)letter, SIZE_MAX);
    }
}
