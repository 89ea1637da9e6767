#include "loop.h"

#include <errno.h>
#include <stdlib.h>

#include "report.h"

enum { MOST_READY = 1024 };

jz_status jz_loop_init(jz_loop *loop, jz_loop_owner owner, size_t receive_buffer_size, jz_error *error)
{
    loop->owner = owner;
    loop->receive_buffer_size = receive_buffer_size;
    atomic_init(&loop->mailbox.newest, NULL);
    jz_timers_init(&loop->timers);
    loop->receive_buffer = malloc(receive_buffer_size);
    if (loop->receive_buffer == NULL)
        return jz_report_system(error, ENOMEM, "create an event loop");
    loop->poll = jz_poll_create();
    if (loop->poll == NULL) {
        int reason = errno;
        free(loop->receive_buffer);
        loop->receive_buffer = NULL;
        return jz_report_system(error, reason, "create an event loop");
    }
    return JZ_OK;
}

void jz_loop_destroy(jz_loop *loop)
{
    jz_poll_destroy(loop->poll);
    free(loop->receive_buffer);
}

void jz_loop_take_letters(jz_loop *loop)
{
    jz_letter *letter = jz_mailbox_take_all(&loop->mailbox);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        loop->owner.letter(loop->owner.context, letter);
        letter = next;
    }
}

static void fire_timers(jz_loop *loop)
{
    jz_timer *timer;
    while ((timer = jz_timers_take_due(&loop->timers)) != NULL)
        loop->owner.expired(loop->owner.context, timer);
}

void jz_loop_run(jz_loop *loop)
{
    jz_ready ready[MOST_READY];
    do {
        size_t count = jz_poll_wait(loop->poll, ready, MOST_READY, jz_timers_wait_ms(&loop->timers));
        for (size_t i = 0; i < count; i++)
            loop->owner.ready(loop->owner.context, ready[i].token, ready[i].what);
        jz_loop_take_letters(loop);
        fire_timers(loop);
    } while (loop->owner.end_of_turn(loop->owner.context));
}

void jz_loop_post(jz_loop *loop, jz_letter *letter)
{
    if (jz_mailbox_post(&loop->mailbox, letter))
        jz_poll_wake(loop->poll);
}
