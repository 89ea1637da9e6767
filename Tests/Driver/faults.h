/*
 * Changes the results of the tested servers' system calls and allocations, which the linker redirects to this
 * (Scripts/driver.mk, --wrap). They are short, interrupted, in another order, or fail, at random by a seed; the memory
 * behind received bytes is poisoned. Threads of the test itself are not affected, and no thread is while nothing is
 * armed.
 */
#ifndef JAZZY_DRIVER_FAULTS_H
#define JAZZY_DRIVER_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each: of so many calls one, on average; 0: none. */
typedef struct faults {
    uint32_t shortened;   /* reads, sends, readiness */
    uint32_t interrupted; /* EINTR, EAGAIN */
    uint32_t broken;      /* the connection is reset, or the kernel has no memory to watch it */
    uint32_t exhausted;   /* no descriptors to accept with */
    uint32_t out_of_memory;
    uint32_t clock_jumps; /* of some hundred milliseconds, forward */
} faults;

void faults_arm(const faults *faults, uint64_t seed);
void faults_disarm(void);

/* Whether an allocation was made to fail since they were armed. */
bool faults_had_no_memory(void);

/* Whether a connection from this port was broken; 0: one of those without a port. */
bool faults_broke(uint16_t port);

/* On the calling thread: it is the test's. Nests. */
void faults_spare(void);
void faults_spare_no_more(void);

/* Pieces of memory that are allocated, by the program and not by libraries. */
size_t faults_live_allocations(void);

#endif
