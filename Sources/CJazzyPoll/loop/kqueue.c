/*
 * macOS and FreeBSD: kqueue, and a user event for wake-ups.
 *
 * The kernel has two filters for a descriptor, each with a state of its own. A watched descriptor always has that of
 * input, which is disabled without interest. That of output comes and goes; without any interest it is there, too, but
 * only tells of hang-ups. The kernel removes both when the descriptor is closed.
 *
 * Changes of interest are gathered until the next wait, which hands them to the kernel in the same call; what was
 * changed back meanwhile costs nothing.
 */
#define _DEFAULT_SOURCE

#include "loop/kernel_queue.h"

#if JZ_POLL_BY_KQUEUE

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { MOST_EVENTS = 1024, CHANGES_PER_DESCRIPTOR = 3, FEWEST_PLACES = 64 };

/* The filters of a descriptor that the kernel has. */
enum { NO_INPUT, INPUT_DISABLED, INPUT };
enum { NO_OUTPUT, OUTPUT, HANG_UP };

static const struct timespec at_once = {0};

/* What is known of a descriptor. */
typedef struct place {
    uint64_t token;
    uint32_t told; /* perhaps where among the ready ones it is already */
    unsigned is_watched : 1;
    unsigned interest : 2;
    unsigned input : 2;
    unsigned output : 2;
    unsigned is_due : 1;     /* the filter of output is to be made anew: then it tells again */
    unsigned is_pending : 1; /* it is among the pending ones: the kernel is to have other filters */
} place;

struct jz_poll {
    _Atomic int kqueue;
    pid_t process; /* that the queue belongs to: its children do not have it */
    place *places; /* by descriptor */
    int *pending;  /* descriptors; as much room as for places */
    size_t place_count;
    size_t pending_count;
    struct kevent events[MOST_EVENTS]; /* changes, and then what the kernel tells */
};

static bool has_failed(int refusal)
{
    errno = refusal;
    return refusal != 0;
}

/* Whether the queue is ours: a child has none, and its number may belong to another file there. */
static bool is_ours(const jz_poll *poll)
{
    return poll->process == getpid();
}

jz_poll *jz_poll_create(void)
{
    jz_poll *poll = malloc(sizeof *poll);
    if (poll == NULL)
        return NULL;
    *poll = (jz_poll){.kqueue = jz_kernel_queue_open(), .process = getpid()};
    if (poll->kqueue >= 0)
        return poll;
    int reason = errno;
    free(poll);
    errno = reason;
    return NULL;
}

void jz_poll_destroy(jz_poll *poll)
{
    if (poll == NULL)
        return;
    if (poll->kqueue >= 0 && is_ours(poll))
        close(poll->kqueue);
    free(poll->places);
    free(poll->pending);
    free(poll);
}

/* The place of a descriptor that is watched; otherwise NULL. */
static place *find(const jz_poll *poll, uintptr_t descriptor)
{
    bool is_watched = descriptor < poll->place_count && poll->places[descriptor].is_watched;
    return is_watched ? &poll->places[descriptor] : NULL;
}

/* Makes room for a descriptor's place. */
static bool reserve(jz_poll *poll, size_t descriptor)
{
    size_t count = poll->place_count > 0 ? poll->place_count : FEWEST_PLACES;
    while (count <= descriptor)
        count *= 2;
    if (count == poll->place_count)
        return true;
    int *pending = realloc(poll->pending, count * sizeof *pending);
    if (pending == NULL)
        return false;
    poll->pending = pending;
    place *places = realloc(poll->places, count * sizeof *places);
    if (places == NULL)
        return false;
    memset(places + poll->place_count, 0, (count - poll->place_count) * sizeof *places);
    poll->places = places;
    poll->place_count = count;
    return true;
}

/* The filter of output that an interest needs. */
static unsigned output_for(unsigned interest)
{
    if ((interest & JZ_WRITABLE) != 0)
        return OUTPUT;
    return (interest & JZ_READABLE) != 0 ? NO_OUTPUT : HANG_UP;
}

/*
 * Where nothing is of interest: the filter tells of every end, if no room for output is enough. Some systems take less
 * than this for enough, so it tells of each change only once.
 */
static struct kevent output_change(int descriptor, unsigned output)
{
    unsigned short flags = output == HANG_UP ? EV_ADD | EV_CLEAR : EV_ADD;
    struct kevent change = jz_kernel_queue_change(descriptor, EVFILT_WRITE, flags);
    if (output == HANG_UP) {
        change.fflags = NOTE_LOWAT;
        change.data = INT_MAX;
    }
    return change;
}

/* Adds the changes that a descriptor's filters need for its interest. Returns their new count. */
static int add_changes(place *place, int descriptor, struct kevent *changes, int count)
{
    unsigned input = (place->interest & JZ_READABLE) != 0 ? INPUT : INPUT_DISABLED;
    unsigned output = output_for(place->interest);
    unsigned short flags = place->input == NO_INPUT ? EV_ADD : 0;
    flags |= input == INPUT ? EV_ENABLE : EV_DISABLE;
    if (input != place->input)
        changes[count++] = jz_kernel_queue_change(descriptor, EVFILT_READ, flags);
    if (output != place->output || place->is_due) {
        if (place->output != NO_OUTPUT)
            changes[count++] = jz_kernel_queue_change(descriptor, EVFILT_WRITE, EV_DELETE);
        if (output != NO_OUTPUT)
            changes[count++] = output_change(descriptor, output);
    }
    place->input = input & 3;
    place->output = output & 3;
    place->is_due = 0;
    return count;
}

static void make_pending(jz_poll *poll, place *place)
{
    if (!place->is_pending)
        poll->pending[poll->pending_count++] = (int)(place - poll->places);
    place->is_pending = 1;
}

/* In a child: a queue of its own, for all that is watched. */
bool jz_poll_begin(jz_poll *poll)
{
    if (is_ours(poll))
        return true;
    int queue = jz_kernel_queue_open();
    if (queue < 0)
        return false;
    poll->kqueue = queue;
    poll->process = getpid();
    for (size_t i = 0; i < poll->place_count; i++) {
        place *place = &poll->places[i];
        place->input = NO_INPUT;
        place->output = NO_OUTPUT;
        if (place->is_watched)
            make_pending(poll, place);
    }
    /* A wake-up may have gone to the parent's. */
    jz_poll_wake(poll);
    return true;
}

/* Whether the kernel has the filters of a place, too: if other code closed the descriptor, it has forgotten them. */
static bool is_known(const jz_poll *poll, const place *place, int descriptor)
{
    unsigned short flags = place->input == INPUT ? EV_ENABLE : EV_DISABLE;
    struct kevent change = jz_kernel_queue_change(descriptor, EVFILT_READ, flags);
    return jz_kernel_queue_apply(poll->kqueue, &change, 1) == 0;
}

bool jz_poll_add(jz_poll *poll, int descriptor, unsigned interest, uint64_t token)
{
    if (descriptor < 0)
        return !has_failed(EBADF);
    if (!reserve(poll, (size_t)descriptor))
        return !has_failed(ENOMEM);
    if (!jz_poll_begin(poll))
        return false;
    place *place = &poll->places[descriptor];
    if (place->is_watched && is_known(poll, place, descriptor))
        return !has_failed(EEXIST);
    /* Since other code closed it, a change of interest may have added a filter to this file, of the same number. */
    jz_poll_remove(poll, descriptor);
    place->token = token;
    place->interest = interest & 3;
    place->input = NO_INPUT;
    place->output = NO_OUTPUT;
    place->is_watched = true;
    struct kevent changes[CHANGES_PER_DESCRIPTOR];
    int refusal = jz_kernel_queue_apply(poll->kqueue, changes, add_changes(place, descriptor, changes, 0));
    if (refusal == EPIPE) {
        /* Of a pipe whose other end is closed. It is refused again, and told, by each wait. */
        place->output = NO_OUTPUT;
        make_pending(poll, place);
        return true;
    }
    if (refusal != 0)
        jz_poll_remove(poll, descriptor);
    return !has_failed(refusal);
}

bool jz_poll_change(jz_poll *poll, int descriptor, unsigned interest, uint64_t token)
{
    place *place = find(poll, (uintptr_t)descriptor);
    if (place == NULL)
        return !has_failed(ENOENT);
    place->token = token;
    place->interest = interest & 3;
    make_pending(poll, place);
    return true;
}

void jz_poll_remove(jz_poll *poll, int descriptor)
{
    place *place = find(poll, (uintptr_t)descriptor);
    if (place == NULL)
        return;
    struct kevent changes[] = {jz_kernel_queue_change(descriptor, EVFILT_READ, EV_DELETE),
                               jz_kernel_queue_change(descriptor, EVFILT_WRITE, EV_DELETE)};
    /* A refusal means that the kernel has none, for instance because other code closed the descriptor. */
    if (is_ours(poll))
        jz_kernel_queue_apply(poll->kqueue, changes, place->output != NO_OUTPUT ? 2 : 1);
    unsigned is_pending = place->is_pending;
    memset(place, 0, sizeof *place);
    place->is_pending = is_pending & 1;
}

bool jz_poll_can_watch(int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return false;
    /* The kernel tells how much of a file is left, but not when it can be read without waiting for the disk. */
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode))
        return !has_failed(EPERM);
    int queue = jz_kernel_queue_open();
    if (queue < 0)
        return false;
    struct kevent change = jz_kernel_queue_change(descriptor, EVFILT_READ, EV_ADD);
    int refusal = jz_kernel_queue_apply(queue, &change, 1);
    close(queue);
    return !has_failed(refusal);
}

/* Takes the pending changes, oldest first, as far as there is room for them. Returns their count. */
static int take_changes(jz_poll *poll)
{
    int count = 0;
    size_t taken = 0;
    while (taken < poll->pending_count && count <= MOST_EVENTS - CHANGES_PER_DESCRIPTOR) {
        int descriptor = poll->pending[taken++];
        place *place = &poll->places[descriptor];
        place->is_pending = 0;
        if (place->is_watched)
            count = add_changes(place, descriptor, poll->events, count);
    }
    poll->pending_count -= taken;
    if (poll->pending_count > 0)
        memmove(poll->pending, poll->pending + taken, poll->pending_count * sizeof *poll->pending);
    return count;
}

/* Nothing can be sent any more. Unless we ended that direction ourselves, the other has ended, too. */
static bool is_hung_up(int descriptor)
{
    /* Linux and FreeBSD tell of it anyhow, macOS only on request. */
    struct pollfd status = {.fd = descriptor, .events = POLLHUP};
    return poll(&status, 1, 0) > 0;
}

/*
 * The kernel refused a change. Either other code closed the descriptor, and so it is watched no more, with what may
 * have been added to another file of the same number; or the change is tried again with the next wait.
 */
static void follow_refusal(jz_poll *poll, place *place, const struct kevent *event)
{
    if (event->data == ENOENT || event->data == EBADF) {
        jz_poll_remove(poll, (int)event->ident);
        return;
    }
    if (event->filter == EVFILT_READ)
        place->input = NO_INPUT;
    else
        place->output = NO_OUTPUT;
    make_pending(poll, place);
}

/* What an event says of its descriptor. */
static unsigned follow(jz_poll *poll, place *place, const struct kevent *event)
{
    if ((event->flags & EV_ERROR) != 0) {
        follow_refusal(poll, place, event);
        return JZ_READABLE | JZ_WRITABLE;
    }
    /* Its end, too: there may still be data before it. */
    if (event->filter == EVFILT_READ)
        return place->interest & JZ_READABLE;
    bool is_at_its_end = (event->flags & EV_EOF) != 0 && is_hung_up((int)event->ident);
    if (place->output == OUTPUT)
        return is_at_its_end ? JZ_READABLE | JZ_WRITABLE : place->interest & JZ_WRITABLE;
    if (!is_at_its_end)
        return 0;
    place->is_due = 1;
    make_pending(poll, place);
    return JZ_READABLE | JZ_WRITABLE;
}

/*
 * Tells of events, one entry for each descriptor, behind the entries that are filled in already. If there is not enough
 * room, the kernel will tell the rest again. Returns how many entries are filled in.
 */
static size_t tell(jz_poll *poll, int count, jz_ready *ready, size_t filled, size_t capacity)
{
    for (int i = 0; i < count; i++) {
        const struct kevent *event = &poll->events[i];
        place *place = event->filter == EVFILT_USER ? NULL : find(poll, event->ident);
        if (place == NULL)
            continue;
        uint64_t token = place->token;
        uint32_t told = place->told;
        unsigned what = follow(poll, place, event);
        if (told < filled && ready[told].token == token) {
            ready[told].what |= what;
        } else if (what != 0 && filled < capacity) {
            place->told = (uint32_t)filled;
            ready[filled++] = (jz_ready){token, what};
        }
    }
    return filled;
}

int jz_poll_wait(jz_poll *poll, jz_ready *ready, size_t capacity, int timeout_ms)
{
    const struct timespec time = {.tv_sec = timeout_ms / 1000, .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    const struct timespec *limit = timeout_ms < 0 ? NULL : &time;
    int queue = poll->kqueue;
    int changes = take_changes(poll);
    int most = capacity < MOST_EVENTS ? (int)capacity : MOST_EVENTS;
    /* Each change may be refused, and without room for its refusal the call would fail. */
    most = most < changes ? changes : most;
    int count = kevent(queue, poll->events, changes, poll->events, most, poll->pending_count > 0 ? &at_once : limit);
    size_t filled = 0;
    bool has_refused = count > 0 && (poll->events[0].flags & EV_ERROR) != 0;
    if (has_refused)
        filled = tell(poll, count, ready, 0, capacity);
    /* Refusals come alone; or a signal interrupted the wait, or the process was stopped for a while: still report what
       is ready now. */
    if (has_refused || (count < 0 && errno == EINTR))
        count = kevent(queue, NULL, 0, poll->events, most, &at_once);
    if (count < 0 && errno != EINTR) {
        poll->kqueue = -1; /* its number may belong to another file by now */
        return -1;
    }
    return (int)tell(poll, count, ready, filled, capacity);
}

void jz_poll_wake(jz_poll *poll)
{
    jz_kernel_queue_wake(poll->kqueue);
}

#endif
