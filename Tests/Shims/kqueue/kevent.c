/* kqueue and kevent, and what becomes of a queue when a descriptor is closed, or the process forks. */
#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "queue.h"

enum { CHANGED_AT_A_TIME = 256 };

static const uint64_t alarm_token = UINT64_MAX;

/* The names are the linker's (ld, --wrap). */
int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __real_shutdown(int descriptor, int how);
int __wrap_shutdown(int descriptor, int how);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static queue *queues;

void shim_lock(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
    pthread_mutex_lock(&mutex);
}

void shim_unlock(const sigset_t *before)
{
    pthread_mutex_unlock(&mutex);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

queue *shim_find(int descriptor)
{
    queue *queue = queues;
    while (queue != NULL && queue->epoll != descriptor)
        queue = queue->next;
    return queue;
}

/* Memory and time are a kernel's: tests replace those of the program, so these are the system calls. */
static queue *map_queue(void)
{
    long mapped = syscall(SYS_mmap, NULL, sizeof(queue), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
    return mapped == -1 ? NULL : (queue *)mapped;
}

static int64_t now_ns(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Takes a queue out of the list, and frees all but its own descriptor. */
static void end_queue(queue *ended)
{
    queue **link = &queues;
    while (*link != ended)
        link = &(*link)->next;
    *link = ended->next;
    __real_close(ended->alarm);
    syscall(SYS_munmap, ended, sizeof *ended);
}

static sigset_t mask_before_fork;

static void before_fork(void)
{
    shim_lock(&mask_before_fork);
}

static void after_fork(void)
{
    shim_unlock(&mask_before_fork);
}

/* "The queue is not inherited by a child created with fork." */
static void after_fork_in_child(void)
{
    while (queues != NULL) {
        int descriptor = queues->epoll;
        end_queue(queues);
        __real_close(descriptor);
    }
    after_fork();
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static int begin_queue(queue *queue)
{
    queue->epoll = epoll_create1(0);
    queue->alarm = queue->epoll >= 0 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = alarm_token};
    if (queue->alarm >= 0 && epoll_ctl(queue->epoll, EPOLL_CTL_ADD, queue->alarm, &event) == 0)
        return 0;
    int reason = errno;
    if (queue->alarm >= 0)
        __real_close(queue->alarm);
    if (queue->epoll >= 0)
        __real_close(queue->epoll);
    return reason;
}

/* Returns 0 and the new queue's descriptor, or an errno. Under the lock: its memory may have been another queue's. */
static int add_queue(int *descriptor)
{
    queue *queue = map_queue();
    int refusal = queue != NULL ? begin_queue(queue) : ENOMEM;
    if (refusal != 0) {
        if (queue != NULL)
            syscall(SYS_munmap, queue, sizeof *queue);
        return refusal;
    }
    TAILQ_INIT(&queue->line);
    queue->next = queues;
    queues = queue;
    *descriptor = queue->epoll;
    return 0;
}

int kqueue(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    int descriptor = -1;
    sigset_t before;
    shim_lock(&before);
    int refusal = add_queue(&descriptor);
    shim_unlock(&before);
    errno = refusal;
    return descriptor;
}

/* "Calling close on a file descriptor will remove any kevents that reference the descriptor." */
int __wrap_close(int descriptor)
{
    sigset_t before;
    shim_lock(&before);
    for (queue *queue = queues; queue != NULL && descriptor >= 0 && descriptor < MOST_DESCRIPTORS; queue = queue->next)
        shim_forget(queue, descriptor);
    queue *closed = shim_find(descriptor);
    if (closed != NULL)
        end_queue(closed);
    shim_unlock(&before);
    return __real_close(descriptor);
}

/* The end of our own output is an event there; epoll does not tell it. */
int __wrap_shutdown(int descriptor, int how)
{
    int result = __real_shutdown(descriptor, how);
    int reason = errno;
    sigset_t before;
    shim_lock(&before);
    for (queue *queue = queues; queue != NULL && descriptor >= 0 && descriptor < MOST_DESCRIPTORS; queue = queue->next)
        shim_look(queue, &queue->watched[descriptor].write);
    shim_unlock(&before);
    errno = reason;
    return result;
}

/*
 * Applies the changes. Returns how many results it has put into `events`; -1 with errno if there was no room for an
 * error.
 */
static int apply(queue *queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count)
{
    int results = 0;
    for (int i = 0; i < change_count; i++) {
        struct kevent change = changes[i]; /* both arrays may be the same */
        int refusal = shim_change(queue, &change);
        if (refusal == 0 && (change.flags & EV_RECEIPT) == 0)
            continue;
        if (results == event_count) {
            errno = refusal;
            return refusal != 0 ? -1 : results;
        }
        change.flags |= EV_ERROR;
        change.data = refusal;
        events[results++] = change;
    }
    return results;
}

/* What epoll says has changed is looked at. */
static void follow(queue *queue, const struct epoll_event *told, int count)
{
    for (int i = 0; i < count; i++) {
        if (told[i].data.u64 == alarm_token)
            continue;
        watched *watched = &queue->watched[told[i].data.u64 & UINT32_MAX];
        if (!watched->is_told || watched->serial != told[i].data.u64 >> 32)
            continue;
        shim_look(queue, &watched->read);
        shim_look(queue, &watched->write);
    }
}

static int milliseconds_until(int64_t deadline)
{
    int64_t left = deadline - now_ns();
    if (deadline == INT64_MAX)
        return -1;
    return left > 0 ? (int)((left + 999999) / 1000000) : 0;
}

/* Waits, without the lock, until epoll has something to tell. -1: errno says why. */
static int wait_for(int descriptor, struct epoll_event *told, int64_t deadline, sigset_t *before)
{
    int wait_ms = milliseconds_until(deadline);
    shim_unlock(before);
    int count = epoll_wait(descriptor, told, CHANGED_AT_A_TIME, wait_ms);
    int reason = errno;
    shim_lock(before);
    errno = reason;
    return count;
}

/* A test closed a queue by the system call itself. */
static int lose(queue *queue)
{
    end_queue(queue);
    errno = EBADF;
    return -1;
}

static int scan(queue *queue, struct kevent *events, int most, int64_t deadline, sigset_t *before)
{
    struct epoll_event told[CHANGED_AT_A_TIME];
    int descriptor = queue->epoll;
    int count;
    do {
        count = epoll_wait(descriptor, told, CHANGED_AT_A_TIME, 0);
        if (count < 0)
            return lose(queue);
        follow(queue, told, count);
    } while (count == CHANGED_AT_A_TIME);
    for (;;) {
        int taken = shim_take(queue, events, most);
        if (taken > 0 || (deadline != INT64_MAX && now_ns() >= deadline))
            return taken;
        count = wait_for(descriptor, told, deadline, before);
        bool is_interrupted = count < 0 && errno == EINTR;
        /* Meanwhile it may have been closed. */
        queue = shim_find(descriptor);
        if (queue == NULL)
            errno = EBADF;
        if (queue == NULL || is_interrupted)
            return -1;
        if (count < 0)
            return lose(queue);
        follow(queue, told, count);
    }
}

int kevent(int descriptor, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout)
{
    if (change_count < 0 || event_count < 0 ||
        (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000))) {
        errno = EINVAL;
        return -1;
    }
    int64_t deadline = INT64_MAX;
    if (timeout != NULL)
        deadline = timeout->tv_sec == 0 && timeout->tv_nsec == 0
                       ? 0
                       : now_ns() + (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
    sigset_t before;
    shim_lock(&before);
    queue *queue = shim_find(descriptor);
    int count = queue != NULL ? apply(queue, changes, change_count, events, event_count) : -1;
    if (queue == NULL)
        errno = EBADF;
    if (count == 0 && event_count > 0)
        count = scan(queue, events, event_count, deadline, &before);
    int reason = errno;
    shim_unlock(&before);
    errno = reason;
    return count;
}
