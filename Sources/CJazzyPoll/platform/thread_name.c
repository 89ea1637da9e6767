#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "platform/thread_name.h"

#include <pthread.h>
#ifdef __FreeBSD__
#include <pthread_np.h>
#endif

void jz_thread_take_name(const char *name)
{
#if defined __APPLE__
    (void)pthread_setname_np(name);
#elif defined __FreeBSD__
    pthread_set_name_np(pthread_self(), name);
#else
    (void)pthread_setname_np(pthread_self(), name);
#endif
}
