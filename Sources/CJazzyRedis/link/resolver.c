#define _POSIX_C_SOURCE 200809L

#include "link/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/bell.h"

enum { STACK_SIZE = 512 * 1024 /* for what looks names up in the C library */ };

struct jz_redis_resolution {
    atomic_int holders; /* the broker's thread, and the one that looks up */
    atomic_bool is_done;
    jz_redis_bell bell;
    int refusal; /* of getaddrinfo */
    struct addrinfo *addresses;
    char service[8];
    char host[];
};

static void let_go(jz_redis_resolution *resolution)
{
    if (atomic_fetch_sub(&resolution->holders, 1) > 1)
        return;
    if (resolution->addresses != NULL)
        freeaddrinfo(resolution->addresses);
    jz_redis_bell_close(&resolution->bell);
    free(resolution);
}

/* Of all brokers: threads that look up. */
static atomic_int lookups;

static void look_up(jz_redis_resolution *resolution, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    resolution->refusal = getaddrinfo(resolution->host, resolution->service, &hints, &resolution->addresses);
}

static void *run(void *context)
{
    jz_redis_resolution *resolution = context;
    look_up(resolution, 0);
    atomic_store(&resolution->is_done, true);
    jz_redis_bell_ring(&resolution->bell);
    let_go(resolution);
    atomic_fetch_sub(&lookups, 1);
    return NULL;
}

static bool start_thread(jz_redis_resolution *resolution)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    if (atomic_fetch_add(&lookups, 1) >= JZ_REDIS_MOST_LOOKUPS || pthread_attr_init(&attributes) != 0) {
        atomic_fetch_sub(&lookups, 1);
        return false;
    }
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&resolution->holders, 2);
    bool is_started = pthread_create(&thread, &attributes, run, resolution) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!is_started) {
        atomic_store(&resolution->holders, 1);
        atomic_fetch_sub(&lookups, 1);
    }
    return is_started;
}

jz_redis_resolution *jz_redis_resolve(const char *host, uint16_t port)
{
    size_t size = strlen(host) + 1;
    jz_redis_resolution *resolution = calloc(1, sizeof *resolution + size);
    if (resolution == NULL)
        return NULL;
    atomic_init(&resolution->holders, 1);
    memcpy(resolution->host, host, size);
    snprintf(resolution->service, sizeof resolution->service, "%u", port);
    if (!jz_redis_bell_open(&resolution->bell)) {
        free(resolution);
        return NULL;
    }
    look_up(resolution, AI_NUMERICHOST);
    if (resolution->refusal != EAI_NONAME) {
        atomic_store(&resolution->is_done, true);
        jz_redis_bell_ring(&resolution->bell);
    } else if (!start_thread(resolution)) {
        let_go(resolution);
        return NULL;
    }
    return resolution;
}

int jz_redis_resolution_descriptor(const jz_redis_resolution *resolution)
{
    return resolution->bell.heard;
}

bool jz_redis_resolution_is_done(jz_redis_resolution *resolution)
{
    return atomic_load(&resolution->is_done);
}

const struct addrinfo *jz_redis_resolution_addresses(const jz_redis_resolution *resolution, const char **failure)
{
    *failure = resolution->refusal != 0 ? gai_strerror(resolution->refusal) : NULL;
    return resolution->refusal == 0 ? resolution->addresses : NULL;
}

void jz_redis_resolution_free(jz_redis_resolution *resolution)
{
    if (resolution != NULL)
        let_go(resolution);
}
