/* Requirements of the targets: a violation aborts the process, and libFuzzer keeps the input. */
#ifndef JAZZY_FUZZ_REQUIRE_H
#define JAZZY_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

_Noreturn static inline void require_failed(const char *file, int line, const char *condition, const char *meaning)
{
    fprintf(stderr, "%s:%d: %s\n    does not hold: %s\n", file, line, meaning, condition);
    abort();
}

/* `meaning` says in words what must be true. */
#define require(condition, meaning)                                                                                    \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            require_failed(__FILE__, __LINE__, #condition, meaning);                                                   \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
