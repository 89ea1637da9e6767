/* cmocka, with the headers that it expects before it, and what every test here shares. */
#ifndef JAZZY_TESTS_TESTING_H
#define JAZZY_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* An assertion that says which of many cases broke it: a printf format and its arguments follow the condition. */
#define assert_that(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg(__VA_ARGS__);                                                                                     \
    } while (0)

/* A number of failed tests as an exit status, which has no more than eight bits. */
#define EXIT_STATUS_OF(failed) ((failed) == 0 ? EXIT_SUCCESS : EXIT_FAILURE)

#endif
