#include "faults_state.h"

#include <string.h>

#include "../CJazzyPollTests/support/random.h"

faults faults_now; /* written where no thread runs that it matters to */

static atomic_bool is_armed;
static atomic_bool had_no_memory;
static _Atomic uint64_t armed_seed;
static atomic_size_t armings;
static atomic_size_t threads;
static _Atomic uint16_t port_of[FAULTS_DESCRIPTORS];
static atomic_bool is_broken[FAULTS_PORTS];

static _Thread_local size_t spared;
static _Thread_local size_t seeded_at; /* the arming that this thread has its random numbers for */
static _Thread_local test_random random_of_thread;

void faults_arm(const faults *faults, uint64_t seed)
{
    faults_now = *faults;
    armed_seed = seed;
    armings++;
    threads = 0;
    had_no_memory = false;
    for (size_t i = 0; i < FAULTS_PORTS; i++)
        is_broken[i] = false;
    is_armed = true;
}

void faults_disarm(void)
{
    is_armed = false;
}

bool faults_had_no_memory(void)
{
    return had_no_memory;
}

bool faults_broke(uint16_t port)
{
    return is_broken[port];
}

void faults_spare(void)
{
    spared++;
}

void faults_spare_no_more(void)
{
    spared--;
}

size_t faults_chance(size_t bound)
{
    if (seeded_at != armings) {
        seeded_at = armings;
        random_of_thread.state = armed_seed + 1000 * ++threads;
    }
    return test_random_below(&random_of_thread, bound);
}

bool faults_happens(uint32_t once_in)
{
    return is_armed && spared == 0 && once_in > 0 && faults_chance(once_in) == 0;
}

void faults_note_port(int descriptor, uint16_t port)
{
    if (descriptor < FAULTS_DESCRIPTORS)
        port_of[descriptor] = port;
}

void faults_note_broken(int descriptor)
{
    is_broken[descriptor < FAULTS_DESCRIPTORS ? port_of[descriptor] : 0] = true;
}

void faults_note_no_memory(void)
{
    had_no_memory = true;
}
