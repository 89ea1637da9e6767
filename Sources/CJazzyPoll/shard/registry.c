#define _POSIX_C_SOURCE 200809L

#include "shard/registry.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

#include "connection/handle.h"

typedef struct entry {
    _Atomic(jz_server *) server;
    _Atomic uint32_t users; /* threads between enter and leave */
    bool is_taken;          /* guarded by `lock`, like the next field */
    uint32_t next_generation;
} entry;

static entry entries[JZ_MAX_SERVERS + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint8_t jz_registry_reserve(uint32_t *first_generation)
{
    uint8_t number = 0;
    pthread_mutex_lock(&lock);
    for (unsigned i = 1; i <= JZ_MAX_SERVERS && number == 0; i++) {
        /* Like a slot, a number is retired when its generations are used up. */
        if (entries[i].is_taken || entries[i].next_generation >= JZ_MAX_GENERATION)
            continue;
        entries[i].is_taken = true;
        *first_generation = entries[i].next_generation > 0 ? entries[i].next_generation : 1;
        number = (uint8_t)i;
    }
    pthread_mutex_unlock(&lock);
    return number;
}

void jz_registry_publish(uint8_t number, jz_server *server)
{
    atomic_store(&entries[number].server, server);
}

void jz_registry_withdraw(uint8_t number)
{
    /* Sequentially consistent, like jz_registry_enter: either that sees NULL, or this sees its count. */
    atomic_store(&entries[number].server, NULL);
    while (atomic_load(&entries[number].users) > 0)
        sched_yield();
}

void jz_registry_release(uint8_t number, uint32_t next_generation)
{
    pthread_mutex_lock(&lock);
    entries[number].is_taken = false;
    entries[number].next_generation = next_generation;
    pthread_mutex_unlock(&lock);
}

/*
 * Checks the server before counting itself: threads with a stale handle do not count, so withdrawing waits only for
 * threads that had checked before, and once for each. Checks again afterwards, because the server may have been
 * withdrawn in between.
 */
jz_server *jz_registry_enter(uint8_t number)
{
    if (atomic_load(&entries[number].server) == NULL)
        return NULL;
    atomic_fetch_add(&entries[number].users, 1);
    jz_server *server = atomic_load(&entries[number].server);
    if (server == NULL)
        atomic_fetch_sub(&entries[number].users, 1);
    return server;
}

void jz_registry_leave(uint8_t number)
{
    atomic_fetch_sub(&entries[number].users, 1);
}
