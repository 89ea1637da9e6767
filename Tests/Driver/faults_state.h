/* State shared by the wrapped calls. */
#ifndef JAZZY_DRIVER_FAULTS_STATE_H
#define JAZZY_DRIVER_FAULTS_STATE_H

#include <stdatomic.h>

#include "faults.h"

enum { FAULTS_DESCRIPTORS = 4096, FAULTS_PORTS = 65536 };

/* Below `bound`, by chance of the calling thread. */
size_t faults_chance(size_t bound);

/* Whether a fault happens now, that happens once in so many times. */
bool faults_happens(uint32_t once_in);

extern faults faults_now;

/* A connection was accepted; one is broken by a fault. */
void faults_note_port(int descriptor, uint16_t port);
void faults_note_broken(int descriptor);

void faults_note_no_memory(void);

#endif
