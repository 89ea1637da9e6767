#include "shard/presence_teller.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/loop.h"
#include "loop/report.h"
#include "loop/thread.h"
#include "platform/thread_name.h"

enum { WINDOW_MS = 250 };

typedef enum stage { PLANNED, RUNNING, OVER } stage;

struct jz_presence_teller {
    jz_presence *presence;
    const jz_workers *workers;
    size_t stack_size;
    pthread_mutex_t lock; /* guards the next four */
    stage stage;
    bool has_loop;
    bool has_thread;
    pthread_t thread;
    _Atomic bool takes_letters; /* the thread runs, or is about to */
    jz_loop loop;
    jz_letter bell;
    _Atomic bool bell_is_posted;
    jz_letter end;
    jz_timer window; /* own thread only, as is: */
    bool is_ending;
};

/* From any thread, perhaps under a lock of presence. */
static void ring(void *context)
{
    jz_presence_teller *teller = context;
    /* What was missed before the thread was started is told in its first window. */
    if (atomic_load(&teller->takes_letters) && !atomic_exchange(&teller->bell_is_posted, true))
        jz_loop_post(&teller->loop, &teller->bell);
}

static void begin_window(jz_presence_teller *teller)
{
    if (!jz_timer_is_set(&teller->window))
        jz_timer_set(&teller->loop.timers, &teller->window, WINDOW_MS);
}

static void take_letter(void *context, jz_letter *letter)
{
    jz_presence_teller *teller = context;
    if (letter == &teller->end) {
        teller->is_ending = true;
        return;
    }
    atomic_store(&teller->bell_is_posted, false);
    begin_window(teller);
}

static void take_expired(void *context, jz_timer *timer)
{
    jz_presence_teller *teller = context;
    (void)timer;
    if (!jz_presence_tell(teller->presence))
        begin_window(teller);
}

static void ignore_ready(void *context, uint64_t token, unsigned what)
{
    (void)context, (void)token, (void)what;
}

static bool end_turn(void *context)
{
    return !((jz_presence_teller *)context)->is_ending;
}

static void *run(void *context)
{
    jz_presence_teller *teller = context;
    jz_thread_take_name("jazzy-presence");
    jz_current_workers = teller->workers;
    begin_window(teller);
    /* If the poll fails, which is logged by the loops, too, all that is left is telling the end. */
    (void)jz_loop_run(&teller->loop);
    jz_presence_tell(teller->presence);
    return NULL;
}

jz_presence_teller *jz_presence_teller_create(jz_presence *presence, const jz_workers *workers, size_t stack_size)
{
    jz_presence_teller *teller = calloc(1, sizeof *teller);
    if (teller == NULL)
        return NULL;
    teller->presence = presence;
    teller->workers = workers;
    teller->stack_size = stack_size;
    pthread_mutex_init(&teller->lock, NULL);
    jz_presence_set_bell(presence, ring, teller);
    return teller;
}

void jz_presence_teller_destroy(jz_presence_teller *teller)
{
    if (teller == NULL)
        return;
    if (teller->has_loop) {
        (void)jz_loop_close_mailbox(&teller->loop);
        jz_loop_destroy(&teller->loop);
    }
    pthread_mutex_destroy(&teller->lock);
    free(teller);
}

/* Call it with the lock held. */
static jz_status start_thread(jz_presence_teller *teller, jz_error *error)
{
    const jz_loop_owner owner = {.context = teller,
                                 .ready = ignore_ready,
                                 .letter = take_letter,
                                 .expired = take_expired,
                                 .end_of_turn = end_turn};
    const jz_thread_plan plan = {.run = run, .purpose = "the thread for presence", .stack_size = teller->stack_size};
    jz_status status = teller->has_loop ? JZ_OK : jz_loop_init(&teller->loop, owner, 1, error);
    if (status != JZ_OK)
        return status;
    teller->has_loop = true;
    /* Before the thread tells for the first time: what is rung for from then on has to reach it. */
    atomic_store(&teller->takes_letters, true);
    status = jz_thread_start(&teller->thread, &plan, teller, error);
    teller->has_thread = status == JZ_OK;
    atomic_store(&teller->takes_letters, teller->has_thread);
    return status;
}

jz_status jz_presence_teller_begin(jz_presence_teller *teller, jz_error *error)
{
    pthread_mutex_lock(&teller->lock);
    jz_status status = JZ_OK;
    if (!teller->has_thread && jz_presence_is_watched(teller->presence))
        status = start_thread(teller, error);
    if (status == JZ_OK)
        teller->stage = RUNNING;
    pthread_mutex_unlock(&teller->lock);
    return status;
}

void jz_presence_teller_finish(jz_presence_teller *teller)
{
    pthread_mutex_lock(&teller->lock);
    bool has_thread = teller->has_thread;
    teller->stage = OVER;
    teller->has_thread = false;
    pthread_mutex_unlock(&teller->lock);
    if (!has_thread)
        return;
    jz_loop_post(&teller->loop, &teller->end);
    pthread_join(teller->thread, NULL);
    atomic_store(&teller->takes_letters, false);
}

jz_status jz_presence_teller_watch(jz_presence_teller *teller, const jz_presence_watch *watch, uint64_t *number,
                                   jz_error *error)
{
    jz_status status = JZ_OK;
    pthread_mutex_lock(&teller->lock);
    if (teller->stage == OVER)
        status = jz_report(error, JZ_STATUS_INVALID_STATE, "cannot watch who is there: the server has ended");
    else if (teller->stage == RUNNING && !teller->has_thread)
        status = start_thread(teller, error);
    if (status == JZ_OK) {
        jz_error why = {.status = JZ_OK};
        uint64_t added = jz_presence_add_watch(teller->presence, watch, &why);
        status = why.status;
        if (added == 0 && error != NULL)
            *error = why;
        if (added != 0 && number != NULL)
            *number = added;
    }
    pthread_mutex_unlock(&teller->lock);
    return status;
}
