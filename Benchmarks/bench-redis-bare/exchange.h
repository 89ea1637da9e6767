/* Bytes that one thread hands over to another. */
#ifndef JAZZY_BENCH_EXCHANGE_H
#define JAZZY_BENCH_EXCHANGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct exchange {
    pthread_mutex_t lock;
    uint8_t *filling, *emptying; /* change places when the other thread takes what there is */
    size_t length;
    bool is_rung; /* of the thread that puts */
    int bell;     /* readable when there is something */
} exchange;

void exchange_create(exchange *exchange);

/* Adds both. */
void exchange_put(exchange *exchange, const void *head, size_t head_length, const void *bytes, size_t length);

/* Wakes the other thread, if something has come since it took the last. */
void exchange_ring(exchange *exchange);

/* All that there is, which is valid until the next call. Returns its length. */
size_t exchange_take(exchange *exchange, const uint8_t **bytes);

#endif
