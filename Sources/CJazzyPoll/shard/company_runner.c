#include "shard/company_runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/log.h"
#include "loop/loop.h"
#include "loop/thread.h"
#include "platform/thread_name.h"
#include "pubsub/presence_company.h"

enum { DELIVERY_COST = 128 };

struct jz_company_runner {
    jz_company *company;
    jz_presence *presence;
    jz_membership *membership;
    const jz_options *options;
    pthread_t thread;
    bool has_loop; /* of the thread that begins and finishes, as is: */
    bool has_thread;
    _Atomic bool takes_letters; /* the thread runs, or is about to */
    jz_loop loop;
    jz_letter bell;
    _Atomic bool bell_is_posted;
    jz_letter end;
    _Atomic size_t waiting;      /* bytes that were delivered and not taken yet */
    _Atomic bool has_missed_any; /* something was not even delivered, or the broker was lost */
    jz_timer window;             /* own thread only, as is: */
    jz_timer tick;
    bool is_ending;
    bool has_warned;
};

/* What a broker delivers, or says that it has missed. */
typedef struct delivery {
    jz_letter letter; /* first */
    bool is_missed;
    size_t topic_length;
    size_t length;
    char bytes[]; /* the topic, and the message behind it */
} delivery;

static size_t cost_of(const delivery *delivery)
{
    return DELIVERY_COST + delivery->topic_length + delivery->length;
}

static void free_delivery(jz_company_runner *runner, delivery *freed)
{
    atomic_fetch_sub_explicit(&runner->waiting, cost_of(freed), memory_order_relaxed);
    free(freed);
}

/* From any thread, perhaps under a lock of presence. */
static void ring(void *context)
{
    jz_company_runner *runner = context;
    /* What was missed before the thread was started is done in its first window. */
    if (atomic_load(&runner->takes_letters) && !atomic_exchange(&runner->bell_is_posted, true))
        jz_loop_post(&runner->loop, &runner->bell);
}

static void begin_window(jz_company_runner *runner)
{
    if (!jz_timer_is_set(&runner->window))
        jz_timer_set(&runner->loop.timers, &runner->window, JZ_COMPANY_WINDOW_MS);
}

static void take_delivery(jz_company_runner *runner, delivery *delivery)
{
    const jz_text topic = {delivery->bytes, delivery->topic_length};
    if (delivery->is_missed)
        jz_company_missed(runner->company, topic);
    else
        jz_company_take(runner->company, topic, delivery->bytes + delivery->topic_length, delivery->length,
                        jz_clock_ms());
    free_delivery(runner, delivery);
}

static void take_letter(void *context, jz_letter *letter)
{
    jz_company_runner *runner = context;
    if (letter == &runner->end) {
        runner->is_ending = true;
    } else if (letter == &runner->bell) {
        atomic_store(&runner->bell_is_posted, false);
        begin_window(runner);
    } else {
        take_delivery(runner, (delivery *)(void *)letter);
    }
}

/* Once: it is counted all the same (jz_presence_statistics). */
static void warn(jz_company_runner *runner)
{
    if (runner->has_warned || jz_presence_statistics_of(runner->presence).not_kept == 0)
        return;
    runner->has_warned = true;
    jz_log(runner->options, JZ_LOG_WARNING,
           "members of topics on other servers are left out here, because there is no room or no memory for them: "
           "option presence_limit is %zu, and option max_members %u",
           runner->options->presence_limit, (unsigned)runner->options->max_members);
}

static void take_turn(jz_company_runner *runner)
{
    jz_company_turn(runner->company, jz_clock_ms());
    if (jz_company_has_rooms(runner->company) && !jz_timer_is_set(&runner->tick))
        jz_timer_set(&runner->loop.timers, &runner->tick, JZ_COMPANY_TICK_MS);
    warn(runner);
}

static void take_expired(void *context, jz_timer *timer)
{
    jz_company_runner *runner = context;
    if (timer == &runner->tick)
        jz_company_tick(runner->company, jz_clock_ms());
    take_turn(runner);
}

static void ignore_ready(void *context, uint64_t token, unsigned what)
{
    (void)context, (void)token, (void)what;
}

static bool end_turn(void *context)
{
    jz_company_runner *runner = context;
    if (atomic_load(&runner->has_missed_any) && atomic_exchange(&runner->has_missed_any, false))
        jz_company_missed_all(runner->company);
    if (jz_company_is_busy(runner->company))
        begin_window(runner);
    return !runner->is_ending;
}

static void *run(void *context)
{
    jz_company_runner *runner = context;
    jz_thread_take_name("jazzy-company");
    begin_window(runner);
    /* If the poll fails, which is logged by the loops, too, nothing of the others is known any more. */
    (void)jz_loop_run(&runner->loop);
    jz_company_end(runner->company);
    return NULL;
}

static bool publish(void *context, jz_text topic, const void *bytes, size_t length)
{
    return jz_membership_say(((jz_company_runner *)context)->membership, topic, bytes, length);
}

static bool subscribe(void *context, jz_text topic)
{
    return jz_interest_came(&((jz_company_runner *)context)->membership->interest, topic);
}

static void unsubscribe(void *context, jz_text topic)
{
    jz_interest_went(&((jz_company_runner *)context)->membership->interest, topic);
}

jz_company_runner *jz_company_runner_create(jz_presence *presence, jz_membership *membership, const jz_options *options)
{
    jz_company_runner *runner = calloc(1, sizeof *runner);
    if (runner == NULL)
        return NULL;
    const jz_company_bus bus = {
        .context = runner, .publish = publish, .subscribe = subscribe, .unsubscribe = unsubscribe};
    runner->presence = presence;
    runner->membership = membership;
    runner->options = options;
    runner->company = jz_company_create(presence, &bus);
    if (runner->company == NULL) {
        free(runner);
        return NULL;
    }
    jz_company_set_bell(runner->company, ring, runner);
    return runner;
}

jz_status jz_company_runner_begin(jz_company_runner *runner, jz_error *error)
{
    if (runner == NULL)
        return JZ_OK;
    const jz_loop_owner owner = {.context = runner,
                                 .ready = ignore_ready,
                                 .letter = take_letter,
                                 .expired = take_expired,
                                 .end_of_turn = end_turn};
    const jz_thread_plan plan = {
        .run = run, .purpose = "the thread for other servers", .stack_size = runner->options->thread_stack_size};
    jz_status status = runner->has_loop ? JZ_OK : jz_loop_init(&runner->loop, owner, 1, error);
    if (status != JZ_OK)
        return status;
    runner->has_loop = true;
    atomic_store(&runner->takes_letters, true);
    status = jz_thread_start(&runner->thread, &plan, runner, error);
    runner->has_thread = status == JZ_OK;
    atomic_store(&runner->takes_letters, runner->has_thread);
    return status;
}

static void discard_letters(jz_company_runner *runner)
{
    jz_letter *letter = jz_loop_close_mailbox(&runner->loop);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        if (letter != &runner->end && letter != &runner->bell)
            free_delivery(runner, (delivery *)(void *)letter);
        letter = next;
    }
}

void jz_company_runner_finish(jz_company_runner *runner)
{
    if (runner == NULL)
        return;
    if (runner->has_thread) {
        jz_loop_post(&runner->loop, &runner->end);
        pthread_join(runner->thread, NULL);
        runner->has_thread = false;
    }
    atomic_store(&runner->takes_letters, false);
    if (runner->has_loop)
        discard_letters(runner);
}

void jz_company_runner_destroy(jz_company_runner *runner)
{
    if (runner == NULL)
        return;
    jz_company_runner_finish(runner);
    jz_company_destroy(runner->company);
    if (runner->has_loop)
        jz_loop_destroy(&runner->loop);
    free(runner);
}

/* False: it is not posted, and something is missing. */
static bool post(jz_company_runner *runner, jz_text topic, const void *bytes, size_t length, bool is_missed)
{
    size_t cost = DELIVERY_COST + topic.length + length;
    size_t before = atomic_fetch_add_explicit(&runner->waiting, cost, memory_order_relaxed);
    bool has_room = before <= runner->options->mailbox_limit && cost <= runner->options->mailbox_limit - before;
    delivery *posted = has_room ? malloc(sizeof *posted + topic.length + length) : NULL;
    if (posted == NULL) {
        atomic_fetch_sub_explicit(&runner->waiting, cost, memory_order_relaxed);
        return false;
    }
    *posted = (delivery){.is_missed = is_missed, .topic_length = topic.length, .length = length};
    memcpy(posted->bytes, topic.start, topic.length);
    if (length > 0)
        memcpy(posted->bytes + topic.length, bytes, length);
    if (!jz_loop_post(&runner->loop, &posted->letter))
        free_delivery(runner, posted);
    return true;
}

/* All rooms are looked at instead, as soon as the thread comes to it. */
static void miss_any(jz_company_runner *runner)
{
    atomic_store(&runner->has_missed_any, true);
    ring(runner);
}

jz_send_status jz_company_runner_deliver(jz_company_runner *runner, jz_text topic, const void *bytes, size_t length)
{
    if (!atomic_load(&runner->takes_letters))
        return JZ_SEND_CLOSED;
    if (jz_company_is_own(runner->company, bytes, length) || post(runner, topic, bytes, length, false))
        return JZ_SEND_SENT;
    jz_company_note_not_kept(runner->company);
    miss_any(runner);
    return JZ_SEND_DROPPED;
}

void jz_company_runner_missed(jz_company_runner *runner, const jz_text *topic)
{
    if (runner == NULL || !atomic_load(&runner->takes_letters))
        return;
    if (topic == NULL || !post(runner, *topic, NULL, 0, true))
        miss_any(runner);
}
