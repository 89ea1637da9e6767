#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"
#include "histogram.h"
#include "party.h"
#include "process.h"
#include "task.h"

enum { PATIENCE_MS = 30000, RECEIVERS = 2 };

/* From the moment that a message was sent until its receivers had it, and between the two. */
typedef struct timing {
    histogram taken[RECEIVERS];
    histogram added;
} timing;

/* Sends one message and waits for both receivers. */
static void send_one(const connection *publisher, connection *receivers, size_t count, const parcel *parcel,
                     timing *timing)
{
    const expectation expected = {.payload = parcel->payload, .length = parcel->payload_length};
    struct pollfd waits[RECEIVERS + 1];
    uint64_t took[RECEIVERS] = {0};
    for (size_t i = 0; i < count; i++)
        waits[i] = (struct pollfd){.fd = receivers[i].descriptor, .events = POLLIN};
    uint64_t began = clock_ns();
    party_send(publisher, parcel);
    for (size_t outstanding = count; outstanding > 0;) {
        if (poll(waits, (nfds_t)count, PATIENCE_MS) == 0)
            fail("a message did not come within %d s", PATIENCE_MS / 1000);
        uint64_t now = clock_ns();
        for (size_t i = 0; i < count; i++) {
            if (waits[i].revents == 0 || party_receive(&receivers[i], &expected) == 0)
                continue;
            took[i] = now - began;
            outstanding--;
        }
    }
    for (size_t i = 0; i < count; i++)
        histogram_record(&timing->taken[i], took[i], 1);
    if (count > 1)
        histogram_record(&timing->added, took[1] > took[0] ? took[1] - took[0] : 0, 1);
}

static void print_quantiles(const char *name, const histogram *values)
{
    printf(",\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f}", name,
           (double)histogram_quantile(values, 0.5) / 1e3, (double)histogram_quantile(values, 0.99) / 1e3,
           (double)histogram_quantile(values, 0.999) / 1e3, (double)values->maximum / 1e3);
}

void run_latency(const task *task)
{
    timing *timing = calloc(1, sizeof *timing);
    if (timing == NULL)
        fail("no memory");
    connection receivers[RECEIVERS];
    size_t count = task->port != 0 ? RECEIVERS : 1;
    receivers[0] = party_join(task, task->publish_port, task->path, 0);
    if (count > 1)
        receivers[1] = party_join(task, task->port, task->path, 1);
    connection publisher = party_join(task, task->publish_port, task->publish_path, 2);
    party_await_topics(task, &publisher, receivers, count);
    parcel parcel = parcel_create(task);
    for (uint64_t end = clock_ns() + (uint64_t)(task->warm_up * 1e9); clock_ns() < end;)
        send_one(&publisher, receivers, count, &parcel, timing);
    *timing = (struct timing){0};
    for (uint64_t end = clock_ns() + (uint64_t)(task->seconds * 1e9); clock_ns() < end;)
        send_one(&publisher, receivers, count, &parcel, timing);
    printf("{\"workload\":\"latency\",\"size\":%zu,\"messages\":%llu", task->size,
           (unsigned long long)timing->taken[0].count);
    print_quantiles("local_us", &timing->taken[0]);
    if (count > 1) {
        print_quantiles("remote_us", &timing->taken[1]);
        print_quantiles("added_us", &timing->added);
    }
    printf("}\n");
    for (size_t i = 0; i < count; i++)
        connection_reset(&receivers[i]);
    connection_reset(&publisher);
    parcel_destroy(&parcel);
    free(timing);
}
