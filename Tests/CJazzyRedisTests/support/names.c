#define _POSIX_C_SOURCE 200809L

#include "support/names.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answers = PTHREAD_COND_INITIALIZER;
static bool is_hanging;
static size_t hanging;
static size_t addresses;
static uint16_t port_once; /* 0: none */

void names_have_addresses(size_t count)
{
    pthread_mutex_lock(&lock);
    addresses = count;
    pthread_mutex_unlock(&lock);
}

void names_lead_once_to(uint16_t port)
{
    pthread_mutex_lock(&lock);
    port_once = port;
    pthread_mutex_unlock(&lock);
}

size_t names_hanging(void)
{
    pthread_mutex_lock(&lock);
    size_t count = hanging;
    pthread_mutex_unlock(&lock);
    return count;
}

void names_hang(void)
{
    pthread_mutex_lock(&lock);
    is_hanging = true;
    pthread_mutex_unlock(&lock);
}

void names_answer(void)
{
    pthread_mutex_lock(&lock);
    is_hanging = false;
    pthread_cond_broadcast(&answers);
    pthread_mutex_unlock(&lock);
}

static void hang(void)
{
    pthread_mutex_lock(&lock);
    hanging++;
    while (is_hanging)
        pthread_cond_wait(&answers, &lock);
    hanging--;
    pthread_mutex_unlock(&lock);
}

static int find_many(const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo **end = found;
    for (size_t i = 0; i < addresses; i++) {
        int refusal = __real_getaddrinfo("127.0.0.1", service, hints, end);
        if (refusal != 0)
            return refusal;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return 0;
}

static int find_moving(const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    char other[8];
    pthread_mutex_lock(&lock);
    uint16_t port = port_once;
    port_once = 0;
    pthread_mutex_unlock(&lock);
    (void)snprintf(other, sizeof other, "%u", port);
    return __real_getaddrinfo("127.0.0.1", port != 0 ? other : service, hints, found);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    bool is_number = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
    if (!is_number && strcmp(host, "many.test") == 0)
        return find_many(service, hints, found);
    if (!is_number && strcmp(host, "moves.test") == 0)
        return find_moving(service, hints, found);
    if (!is_number && strcmp(host, "hangs.test") == 0) {
        hang();
        return EAI_NONAME;
    }
    return __real_getaddrinfo(host, service, hints, found);
}
