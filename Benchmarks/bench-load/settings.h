/* What to measure, from the command line. */
#ifndef JAZZY_BENCH_SETTINGS_H
#define JAZZY_BENCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "payload.h"

typedef enum workload {
    WORKLOAD_ECHO,
    WORKLOAD_FAN_OUT,
    WORKLOAD_IDLE,
    WORKLOAD_CONNECT,
    WORKLOAD_HANDSHAKE,
    WORKLOAD_TAILS
} workload;

typedef enum tls_version { TLS_NONE, TLS_1_2, TLS_1_3 } tls_version;

typedef struct settings {
    workload workload;
    uint16_t port;
    size_t ports; /* number of ports, from `port` on, that are used in turn: several servers that share nothing */
    pid_t server; /* whose CPU time and memory are measured; 0 is none */
    const char *path;
    size_t connections;
    size_t size;  /* bytes of a payload */
    size_t depth; /* messages in flight on each connection */
    size_t burst; /* messages published at once */
    size_t idle;  /* idle connections beside the busy ones */
    payload_kind payload;
    bool uses_deflate;
    tls_version tls;
    bool resumes;      /* every connection but the first one resumes its TLS session */
    bool sends_apart;  /* each message in a TLS record of its own */
    size_t handshakes; /* TLS handshakes a second that are made beside the echoes */
    size_t rate;       /* messages a second that are sent by the clock, on all connections together, while */
    size_t large;      /* one connection has messages of so many bytes echoed, */
    size_t connects;   /* so many others connect in a second, */
    const char *slow;  /* one connection sends a message to this path each 100 ms, */
    const char *page;  /* or this page is asked for each 100 ms */
    double warm_up;    /* seconds */
    double seconds;
} settings;

const char *workload_name(workload workload);
const char *tls_name(tls_version version);

/* Reads the command line; ends the program with code 2 and a usage text where it is wrong. */
settings settings_of(int count, char **arguments);

#endif
