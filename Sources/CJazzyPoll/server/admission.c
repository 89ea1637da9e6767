#include "admission.h"

#include <stdlib.h>
#include <string.h>

#include "../codec/big_endian.h"
#include "../loop/random.h"

enum { FIRST_PLACES = 64 };

/* Of all servers of the process. */
static _Atomic uint64_t process_connections;

void jz_admission_init(jz_admission *admission, const jz_options *options)
{
    *admission = (jz_admission){.max_connections = options->max_connections,
                                .max_handshakes = options->max_handshakes,
                                .max_per_address = options->max_connections_per_address,
                                .seed = jz_random()};
    pthread_mutex_init(&admission->lock, NULL);
}

void jz_admission_destroy(jz_admission *admission)
{
    free(admission->places);
    pthread_mutex_destroy(&admission->lock);
}

/* Adds one, unless there are as many as may be. */
static bool add_below(_Atomic uint64_t *count, uint32_t max, uint64_t *now)
{
    *now = atomic_fetch_add_explicit(count, 1, memory_order_relaxed) + 1;
    if (max == JZ_UNLIMITED || *now <= max)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

static void take_one(_Atomic uint64_t *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
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
    take_one(&process_connections);
    /* Sequentially consistent: see ending.c. */
    return atomic_fetch_sub(&admission->connections, 1) - 1;
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

static size_t place_of(const jz_admission *admission, const uint64_t key[2])
{
    /* The 64-bit finalizer of MurmurHash3. */
    uint64_t hash = key[0] * UINT64_C(0x9E3779B97F4A7C15) ^ key[1] ^ admission->seed;
    hash = (hash ^ hash >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    hash = (hash ^ hash >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return (size_t)(hash ^ hash >> 33) & (admission->place_count - 1);
}

/* The place of a key, or the free one where it would be (linear probing). There are places. */
static jz_address_count *find(const jz_admission *admission, const uint64_t key[2])
{
    size_t place = place_of(admission, key);
    while (admission->places[place].count > 0 && memcmp(admission->places[place].key, key, sizeof(uint64_t[2])) != 0)
        place = (place + 1) & (admission->place_count - 1);
    return &admission->places[place];
}

/* Moves everything to `place_count` places. False when there is no memory. */
static bool resize(jz_admission *admission, size_t place_count)
{
    jz_address_count *old = admission->places;
    size_t old_count = admission->place_count;
    jz_address_count *places = calloc(place_count, sizeof *places);
    if (places == NULL)
        return false;
    admission->places = places;
    admission->place_count = place_count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].count > 0)
            *find(admission, old[i].key) = old[i];
    }
    free(old);
    return true;
}

static bool make_room(jz_admission *admission)
{
    if (admission->taken < admission->place_count / 2)
        return true;
    return resize(admission, admission->place_count > 0 ? admission->place_count * 2 : FIRST_PLACES);
}

bool jz_admission_count_address(jz_admission *admission, const jz_address *address)
{
    uint64_t key[2];
    make_key(address, key);
    pthread_mutex_lock(&admission->lock);
    bool is_let_in = make_room(admission);
    if (is_let_in) {
        jz_address_count *place = find(admission, key);
        is_let_in = place->count < admission->max_per_address;
        if (is_let_in && place->count++ == 0) {
            memcpy(place->key, key, sizeof key);
            admission->taken++;
        }
    }
    pthread_mutex_unlock(&admission->lock);
    return is_let_in;
}

/* Frees a place, and moves up those behind it that would not be found any more (D. E. Knuth, TAOCP 6.4, algorithm R).
 */
static void free_place(jz_admission *admission, size_t place)
{
    size_t mask = admission->place_count - 1;
    size_t hole = place;
    for (size_t next = (place + 1) & mask; admission->places[next].count > 0; next = (next + 1) & mask) {
        size_t home = place_of(admission, admission->places[next].key);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            admission->places[hole] = admission->places[next];
            hole = next;
        }
    }
    admission->places[hole].count = 0;
    admission->taken--;
}

/* Memory follows the connections down, too. Without memory to move to, it stays as it is. */
static void shrink(jz_admission *admission)
{
    if (admission->place_count > FIRST_PLACES && admission->taken < admission->place_count / 8)
        (void)resize(admission, admission->place_count / 4);
}

void jz_admission_uncount_address(jz_admission *admission, const jz_address *address)
{
    uint64_t key[2];
    make_key(address, key);
    pthread_mutex_lock(&admission->lock);
    jz_address_count *place = find(admission, key);
    if (--place->count == 0) {
        free_place(admission, (size_t)(place - admission->places));
        shrink(admission);
    }
    pthread_mutex_unlock(&admission->lock);
}
