/* What the wrapped calls have in common. The names are the linker's (ld, --wrap). */
#ifndef JAZZY_DRIVER_WRAPPED_H
#define JAZZY_DRIVER_WRAPPED_H

#include <stddef.h>

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

/* -1, with errno. */
int wrapped_failing(int error);

/* A length, or by chance less: mostly few, sometimes nearly all. */
size_t wrapped_shortened(size_t length);

/* The memory behind received bytes is no more the kernel's. */
void wrapped_unpoison(void);

#endif
