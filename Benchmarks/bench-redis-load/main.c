/*
 * The load on servers that share topics through Redis, and the measuring. One thread; results go to standard output, as
 * one JSON object in a line. The usage is below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task.h"

static const char usage[] =
    "usage: bench-redis-load deliver|latency|crowd --publish-port N [--port N] [--publish-path PATH] [--path PATH]\n"
    "                        [--connections N] [--size BYTES] [--depth N] [--socket-io] [--times FILE]\n"
    "                        [--pid PID]... [--warm-up SECONDS] [--seconds SECONDS]\n"
    "  deliver  messages from a publisher on one server to --connections receivers on the other, --depth in flight\n"
    "  latency  one message at a time, to a receiver on either server\n"
    "  crowd    holds --connections, and publishes when standard input says so\n";

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "bench-redis-load: %s %s\n%s", what, value != NULL ? value : "nothing", usage);
    exit(2);
}

static size_t number_of(const char *flag, const char *value, size_t lowest, size_t highest)
{
    char *end = NULL;
    unsigned long long number = value != NULL ? strtoull(value, &end, 10) : 0;
    if (value == NULL || end == value || *end != '\0' || value[0] == '-' || number < lowest || number > highest) {
        char what[128];
        snprintf(what, sizeof what, "%s takes a number from %zu to %zu, not", flag, lowest, highest);
        refuse(what, value);
    }
    return (size_t)number;
}

static double seconds_of(const char *flag, const char *value)
{
    char *end = NULL;
    double seconds = value != NULL ? strtod(value, &end) : 0;
    if (value == NULL || end == value || *end != '\0' || !(seconds >= 0.01 && seconds <= 600)) {
        char what[128];
        snprintf(what, sizeof what, "%s takes seconds from 0.01 to 600, not", flag);
        refuse(what, value);
    }
    return seconds;
}

static const char *path_of(const char *flag, const char *value)
{
    char what[64];
    snprintf(what, sizeof what, "%s begins with a slash, not", flag);
    if (value == NULL || value[0] != '/')
        refuse(what, value);
    return value;
}

static void add_process(task *task, const char *value)
{
    if (task->process_count == MOST_PROCESSES)
        refuse("no more processes are measured than 8; one too many is", value);
    task->processes[task->process_count++] = (pid_t)number_of("--pid", value, 1, INT32_MAX);
}

static void take_flag(task *task, const char *flag, const char *value)
{
    if (strcmp(flag, "--publish-port") == 0)
        task->publish_port = (uint16_t)number_of(flag, value, 1, 65535);
    else if (strcmp(flag, "--port") == 0)
        task->port = (uint16_t)number_of(flag, value, 1, 65535);
    else if (strcmp(flag, "--publish-path") == 0)
        task->publish_path = path_of(flag, value);
    else if (strcmp(flag, "--path") == 0)
        task->path = path_of(flag, value);
    else if (strcmp(flag, "--connections") == 0)
        task->connections = number_of(flag, value, 1, 60000);
    else if (strcmp(flag, "--size") == 0)
        task->size = number_of(flag, value, 0, 32768);
    else if (strcmp(flag, "--depth") == 0)
        task->depth = number_of(flag, value, 1, 1024);
    else if (strcmp(flag, "--times") == 0 && value != NULL)
        task->times = value;
    else if (strcmp(flag, "--pid") == 0)
        add_process(task, value);
    else if (strcmp(flag, "--warm-up") == 0)
        task->warm_up = seconds_of(flag, value);
    else if (strcmp(flag, "--seconds") == 0)
        task->seconds = seconds_of(flag, value);
    else
        refuse("what is", flag);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(const task *);
    } workloads[] = {{"deliver", run_deliver}, {"latency", run_latency}, {"crowd", run_crowd}};
    enum { WORKLOADS = sizeof workloads / sizeof *workloads };
    unsigned workload = 0;
    while (count > 1 && workload < WORKLOADS && strcmp(arguments[1], workloads[workload].name) != 0)
        workload++;
    if (count < 2 || workload == WORKLOADS)
        refuse("the first argument is the workload, not", count < 2 ? NULL : arguments[1]);
    task task = {.publish_path = "/publish",
                 .path = "/fan",
                 .connections = 1,
                 .size = 100,
                 .depth = 1,
                 .warm_up = 0.5,
                 .seconds = 2};
    for (int i = 2; i < count; i++) {
        if (strcmp(arguments[i], "--socket-io") == 0) {
            task.is_socket_io = true;
        } else {
            take_flag(&task, arguments[i], i + 1 < count ? arguments[i + 1] : NULL);
            i++;
        }
    }
    if (task.publish_port == 0 || (task.port == 0 && workloads[workload].run != run_latency))
        refuse("--publish-port and --port are needed;", "one of them is missing");
    workloads[workload].run(&task);
    return 0;
}
