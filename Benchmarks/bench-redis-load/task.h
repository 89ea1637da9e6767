/* What to measure, from the command line, and the workloads. */
#ifndef JAZZY_BENCH_TASK_H
#define JAZZY_BENCH_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MOST_PROCESSES = 8 };

typedef struct task {
    uint16_t publish_port;    /* of the server that messages are published on */
    const char *publish_path; /* to which they are sent */
    uint16_t port;            /* of the server whose clients receive them */
    const char *path;
    size_t connections; /* receivers */
    size_t size;        /* bytes of a payload */
    size_t depth;       /* messages in flight */
    bool is_socket_io;  /* messages are events of Socket.IO, within its protocol */
    const char *times;  /* a file for the moment when each receiver had the message; NULL: none */
    pid_t processes[MOST_PROCESSES];
    size_t process_count; /* whose CPU time is measured */
    double warm_up;       /* seconds */
    double seconds;
} task;

/*
 * Messages that are published on one server, and come to all receivers on another one: the next ones are published when
 * all have the last. Tells the CPU time of each process.
 */
void run_deliver(const task *task);

/*
 * One message at a time, to a receiver on the server that it is published on, and to one on the other: how long each
 * took, and how much longer the other. With `port` 0 only the first.
 */
void run_latency(const task *task);

/*
 * Holds connections, and tells when all of them have a message. Reads commands from standard input, one a line, and
 * answers each with a line: "publish" sends a message and tells when; whenever everybody has one, that is told unasked.
 */
void run_crowd(const task *task);

#endif
