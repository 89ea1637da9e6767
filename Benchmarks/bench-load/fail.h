/* The end of the program when something is wrong. */
#ifndef JAZZY_BENCH_FAIL_H
#define JAZZY_BENCH_FAIL_H

#include <jazzy/compiler.h>

/* Prints an error to standard error, and ends the program with code 1. */
_Noreturn void fail(const char *format, ...) JZ_PRINTF(1, 2);

#endif
