#include "shard/admission.h"

#include <stdlib.h>
#include <string.h>

#include "codec/big_endian.h"

/* Connections of all servers of the process. */
static _Atomic uint64_t process_connections;

void jz_admission_init(jz_admission *admission, const jz_options *options)
{
    *admission = (jz_admission){.max_connections = options->max_connections,
                                .max_handshakes = options->max_handshakes,
                                .max_per_address = options->max_connections_per_address};
    jz_hash_table_init(&admission->addresses);
    pthread_mutex_init(&admission->lock, NULL);
}

static void discard(jz_hash_entry *entry)
{
    free(entry);
}

void jz_admission_destroy(jz_admission *admission)
{
    jz_hash_table_destroy(&admission->addresses, discard);
    pthread_mutex_destroy(&admission->lock);
}

/* Adds one, unless the limit is reached. */
static bool add_below(_Atomic uint64_t *count, uint32_t max, uint64_t *now)
{
    *now = atomic_fetch_add_explicit(count, 1, memory_order_acquire) + 1;
    if (max == JZ_UNLIMITED || *now <= max)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

/* memory_order_release: a thread that takes the freed place also sees what was decremented before. */
static void take_one(_Atomic uint64_t *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_release);
}

bool jz_admission_enter(jz_admission *admission, jz_refusal *why)
{
    uint64_t now;
    *why = JZ_REFUSAL_MAX_CONNECTIONS;
    if (!add_below(&process_connections, admission->max_connections, &now))
        return false;
    *why = JZ_REFUSAL_MAX_HANDSHAKES;
    if (!add_below(&admission->handshakes, admission->max_handshakes, &now)) {
        take_one(&process_connections);
        return false;
    }
    now = atomic_fetch_add(&admission->connections, 1) + 1;
    uint64_t peak = atomic_load_explicit(&admission->peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&admission->peak, &peak, now, memory_order_relaxed,
                                                                memory_order_relaxed))
        continue;
    atomic_fetch_add_explicit(&admission->total, 1, memory_order_relaxed);
    return true;
}

uint64_t jz_admission_leave(jz_admission *admission, bool is_handshake)
{
    if (is_handshake)
        jz_admission_end_handshake(admission);
    /* Sequentially consistent: see ending.c. Before process_connections, because otherwise a new connection could be
       counted beside this one, and the server would seem to have had more connections than it may. */
    uint64_t left = atomic_fetch_sub(&admission->connections, 1) - 1;
    take_one(&process_connections);
    return left;
}

void jz_admission_end_handshake(jz_admission *admission)
{
    take_one(&admission->handshakes);
}

static void make_key(const jz_address *address, uint64_t key[2])
{
    key[0] = jz_read_uint64(address->ip);
    key[1] = jz_ip_is_ipv4(address->ip) ? jz_read_uint64(address->ip + 8) : 0;
}

static jz_address_count *find(const jz_admission *admission, const uint64_t key[2], uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&admission->addresses, hash); entry != NULL; entry = entry->next) {
        jz_address_count *found = (jz_address_count *)entry;
        if (memcmp(found->key, key, sizeof found->key) == 0)
            return found;
    }
    return NULL;
}

static jz_address_count *add(jz_admission *admission, const uint64_t key[2], uint64_t hash)
{
    jz_address_count *added = malloc(sizeof *added);
    if (added == NULL)
        return NULL;
    *added = (jz_address_count){.entry = {.hash = hash}, .key = {key[0], key[1]}};
    if (jz_hash_table_add(&admission->addresses, &added->entry))
        return added;
    free(added);
    return NULL;
}

bool jz_admission_count_address(jz_admission *admission, const jz_address *address)
{
    uint64_t key[2];
    make_key(address, key);
    uint64_t hash = jz_hash_table_hash(&admission->addresses, key, sizeof key);
    pthread_mutex_lock(&admission->lock);
    jz_address_count *counted = find(admission, key, hash);
    if (counted == NULL)
        counted = add(admission, key, hash);
    bool is_let_in = counted != NULL && counted->count < admission->max_per_address;
    if (is_let_in)
        counted->count++;
    pthread_mutex_unlock(&admission->lock);
    return is_let_in;
}

void jz_admission_uncount_address(jz_admission *admission, const jz_address *address)
{
    uint64_t key[2];
    make_key(address, key);
    uint64_t hash = jz_hash_table_hash(&admission->addresses, key, sizeof key);
    pthread_mutex_lock(&admission->lock);
    jz_address_count *counted = find(admission, key, hash);
    if (--counted->count == 0) {
        jz_hash_table_remove(&admission->addresses, &counted->entry);
        free(counted);
    }
    pthread_mutex_unlock(&admission->lock);
}
