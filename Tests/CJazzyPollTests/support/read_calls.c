#include "read_calls.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* The names are the linker's (ld, --wrap). */
ssize_t __real_pread(int descriptor, void *bytes, size_t length, off_t position);
ssize_t __wrap_pread(int descriptor, void *bytes, size_t length, off_t position);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool waits;

static void set(bool value)
{
    pthread_mutex_lock(&lock);
    waits = value;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void test_reads_wait(void)
{
    set(true);
}

void test_reads_go_on(void)
{
    set(false);
}

ssize_t __wrap_pread(int descriptor, void *bytes, size_t length, off_t position)
{
    pthread_mutex_lock(&lock);
    while (waits)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return __real_pread(descriptor, bytes, length, position);
}
