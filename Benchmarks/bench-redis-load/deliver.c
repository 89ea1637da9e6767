#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fail.h"
#include "histogram.h"
#include "party.h"
#include "process.h"
#include "task.h"

enum { PATIENCE_MS = 30000, MOST_READY = 256 };

typedef struct delivery {
    const task *task;
    connection publisher;
    connection *receivers;
    int epoll;
    uint64_t published;
    histogram latencies;
} delivery;

static void watch(const delivery *delivery, const connection *party, uint64_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    if (epoll_ctl(delivery->epoll, EPOLL_CTL_ADD, party->descriptor, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

/* What a publisher is answered, such as a confirmation, is read and no more. */
static size_t receive_one(delivery *delivery, uint64_t number, const expectation *expected)
{
    const expectation anything = {0};
    if (number < delivery->task->connections)
        return party_receive(&delivery->receivers[number], expected);
    party_receive(&delivery->publisher, &anything);
    return 0;
}

/* Publishes so many messages as may be in flight, and waits until everybody has them. */
static void run_round(delivery *delivery, const parcel *parcel, const expectation *expected)
{
    struct epoll_event ready[MOST_READY];
    const task *task = delivery->task;
    uint64_t began = clock_ns();
    party_send(&delivery->publisher, parcel);
    size_t outstanding = task->depth * task->connections;
    while (outstanding > 0) {
        int count = epoll_wait(delivery->epoll, ready, MOST_READY, PATIENCE_MS);
        if (count == 0)
            fail("%zu of %zu deliveries did not come within %d s", outstanding, task->depth * task->connections,
                 PATIENCE_MS / 1000);
        for (int i = 0; i < count; i++) {
            size_t came = receive_one(delivery, ready[i].data.u64, expected);
            if (came > outstanding)
                fail("more was delivered than was published");
            if (came > 0)
                histogram_record(&delivery->latencies, clock_ns() - began, came);
            outstanding -= came;
        }
    }
    delivery->published += task->depth;
}

static void run_for(delivery *delivery, double seconds, const parcel *parcel, const expectation *expected)
{
    for (uint64_t end = clock_ns() + (uint64_t)(seconds * 1e9); clock_ns() < end;)
        run_round(delivery, parcel, expected);
}

static void print(const delivery *delivery, uint64_t ns, const uint64_t *cpu, uint64_t own_cpu)
{
    const task *task = delivery->task;
    double published = (double)delivery->published;
    printf("{\"workload\":\"deliver\",\"connections\":%zu,\"size\":%zu,\"depth\":%zu,\"seconds\":%.4f,"
           "\"published\":%.0f,\"delivered\":%.0f,\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f},\"cpu_us\":[",
           task->connections, task->size, task->depth, (double)ns / 1e9, published,
           published * (double)task->connections, (double)histogram_quantile(&delivery->latencies, 0.5) / 1e3,
           (double)histogram_quantile(&delivery->latencies, 0.99) / 1e3);
    for (size_t i = 0; i < task->process_count; i++)
        printf("%s%.1f", i > 0 ? "," : "", (double)cpu[i] / 1e3);
    printf("],\"client_cpu_us\":%.1f}\n", (double)own_cpu / 1e3);
}

static void measure(delivery *delivery, const parcel *parcel)
{
    const task *task = delivery->task;
    const expectation anything = {0};
    const expectation expected = {.payload = parcel->payload, .length = parcel->payload_length};
    run_for(delivery, task->warm_up, parcel, &expected);
    delivery->published = 0;
    histogram_clear(&delivery->latencies);
    uint64_t cpu[MOST_PROCESSES] = {0};
    uint64_t own_cpu = own_cpu_ns();
    uint64_t began = clock_ns();
    for (size_t i = 0; i < task->process_count; i++)
        cpu[i] = process_cpu_ns(task->processes[i]);
    run_for(delivery, task->seconds, parcel, &anything);
    for (size_t i = 0; i < task->process_count; i++)
        cpu[i] = process_cpu_ns(task->processes[i]) - cpu[i];
    print(delivery, clock_ns() - began, cpu, own_cpu_ns() - own_cpu);
}

void run_deliver(const task *task)
{
    need_descriptors(task->connections);
    delivery *delivery = calloc(1, sizeof *delivery);
    connection *receivers = calloc(task->connections, sizeof *receivers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (delivery == NULL || receivers == NULL || epoll < 0)
        fail("no memory");
    delivery->task = task;
    delivery->receivers = receivers;
    delivery->epoll = epoll;
    for (size_t i = 0; i < task->connections; i++) {
        receivers[i] = party_join(task, task->port, task->path, i);
        watch(delivery, &receivers[i], i);
    }
    delivery->publisher = party_join(task, task->publish_port, task->publish_path, 0);
    watch(delivery, &delivery->publisher, task->connections);
    party_await_topics(task, &delivery->publisher, receivers, task->connections);
    parcel parcel = parcel_create(task);
    measure(delivery, &parcel);
    for (size_t i = 0; i < task->connections; i++)
        connection_reset(&receivers[i]);
    connection_reset(&delivery->publisher);
    parcel_destroy(&parcel);
    close(epoll);
    free(receivers);
    free(delivery);
}
