#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fail.h"
#include "party.h"
#include "process.h"
#include "task.h"

enum { MOST_READY = 1024 };

typedef struct crowd {
    const task *task;
    connection *receivers;
    connection publisher;
    uint64_t *arrivals; /* of the current message, in the order in which it came */
    size_t arrived;
    size_t messages; /* that everybody had */
    int epoll;
} crowd;

static void watch(const crowd *crowd, int descriptor, uint64_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

/* The moment of each arrival as text, a line for each. */
static void write_times(const crowd *crowd)
{
    FILE *file = fopen(crowd->task->times, "w");
    if (file == NULL)
        fail("cannot write %s: %s", crowd->task->times, strerror(errno));
    for (size_t i = 0; i < crowd->arrived; i++)
        fprintf(file, "%llu\n", (unsigned long long)crowd->arrivals[i]);
    if (fclose(file) != 0)
        fail("cannot write %s: %s", crowd->task->times, strerror(errno));
}

static void finish_message(crowd *crowd)
{
    crowd->messages++;
    if (crowd->task->times != NULL)
        write_times(crowd);
    printf("everybody has message %zu\n", crowd->messages);
    fflush(stdout);
    crowd->arrived = 0;
}

static void take_arrival(crowd *crowd, size_t number)
{
    const expectation anything = {0};
    size_t came = party_receive(&crowd->receivers[number], &anything);
    if (came > 1 || crowd->arrived + came > crowd->task->connections)
        fail("a message was published before everybody had the last one");
    if (came > 0)
        crowd->arrivals[crowd->arrived++] = clock_ns();
    if (crowd->arrived == crowd->task->connections)
        finish_message(crowd);
}

/* Returns whether to go on. */
static bool take_command(const crowd *crowd, const parcel *parcel)
{
    char line[64];
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    if (strcmp(line, "publish\n") != 0)
        fail("the only command is publish, not %s", line);
    uint64_t now = clock_ns();
    party_send(&crowd->publisher, parcel);
    printf("published at %llu\n", (unsigned long long)now);
    fflush(stdout);
    return true;
}

static void serve(crowd *crowd, const parcel *parcel)
{
    static struct epoll_event ready[MOST_READY];
    const size_t connections = crowd->task->connections;
    const expectation anything = {0};
    for (;;) {
        int count = epoll_wait(crowd->epoll, ready, MOST_READY, -1);
        for (int i = 0; i < count; i++) {
            uint64_t number = ready[i].data.u64;
            if (number < connections)
                take_arrival(crowd, (size_t)number);
            else if (number == connections)
                party_receive(&crowd->publisher, &anything);
            else if (!take_command(crowd, parcel))
                return;
        }
    }
}

void run_crowd(const task *task)
{
    need_descriptors(task->connections + 1);
    crowd crowd = {.task = task, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    crowd.receivers = calloc(task->connections, sizeof *crowd.receivers);
    crowd.arrivals = calloc(task->connections, sizeof *crowd.arrivals);
    if (crowd.receivers == NULL || crowd.arrivals == NULL || crowd.epoll < 0)
        fail("no memory for %zu connections", task->connections);
    for (size_t i = 0; i < task->connections; i++) {
        crowd.receivers[i] = party_join(task, task->port, task->path, i);
        watch(&crowd, crowd.receivers[i].descriptor, i);
    }
    crowd.publisher = party_join(task, task->publish_port, task->publish_path, 0);
    watch(&crowd, crowd.publisher.descriptor, task->connections);
    setvbuf(stdin, NULL, _IONBF, 0);
    watch(&crowd, STDIN_FILENO, task->connections + 1);
    parcel parcel = parcel_create(task);
    printf("connected\n");
    fflush(stdout);
    serve(&crowd, &parcel);
    for (size_t i = 0; i < task->connections; i++)
        connection_reset(&crowd.receivers[i]);
    connection_reset(&crowd.publisher);
    parcel_destroy(&parcel);
    free(crowd.receivers);
    free(crowd.arrivals);
    close(crowd.epoll);
}
