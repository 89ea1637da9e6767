#include "exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sockets.h"

enum { CAPACITY = 4 * 1024 * 1024 };

void exchange_create(exchange *exchange)
{
    pthread_mutex_init(&exchange->lock, NULL);
    exchange->filling = malloc(CAPACITY);
    exchange->emptying = malloc(CAPACITY);
    exchange->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (exchange->filling == NULL || exchange->emptying == NULL || exchange->bell < 0)
        floor_fail("have memory");
}

void exchange_put(exchange *exchange, const void *head, size_t head_length, const void *bytes, size_t length)
{
    pthread_mutex_lock(&exchange->lock);
    if (CAPACITY - exchange->length < head_length + length)
        floor_fail("hand over so much");
    if (head_length > 0)
        memcpy(exchange->filling + exchange->length, head, head_length);
    if (length > 0)
        memcpy(exchange->filling + exchange->length + head_length, bytes, length);
    exchange->length += head_length + length;
    pthread_mutex_unlock(&exchange->lock);
}

void exchange_ring(exchange *exchange)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&exchange->lock);
    bool rings = exchange->length > 0 && !exchange->is_rung;
    exchange->is_rung |= rings;
    pthread_mutex_unlock(&exchange->lock);
    if (rings && write(exchange->bell, &one, sizeof one) != sizeof one)
        floor_fail("wake a thread");
}

size_t exchange_take(exchange *exchange, const uint8_t **bytes)
{
    uint64_t count;
    if (read(exchange->bell, &count, sizeof count) != sizeof count)
        return 0;
    pthread_mutex_lock(&exchange->lock);
    uint8_t *taken = exchange->filling;
    size_t length = exchange->length;
    exchange->filling = exchange->emptying;
    exchange->emptying = taken;
    exchange->length = 0;
    exchange->is_rung = false;
    pthread_mutex_unlock(&exchange->lock);
    *bytes = taken;
    return length;
}
