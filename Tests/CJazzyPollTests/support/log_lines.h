/*
 * A log that keeps its lines. Where a server listens, which it says when it begins to run, is kept apart: every test
 * would have to know of it.
 */
#ifndef JAZZY_TESTS_LOG_LINES_H
#define JAZZY_TESTS_LOG_LINES_H

#include <pthread.h>
#include <stdatomic.h>

#include "jazzy.h"

enum { LOG_LINES = 128, LOG_LINE_SIZE = JZ_LOG_LINE_SIZE };

typedef struct log_lines {
    pthread_mutex_t lock;
    struct {
        jz_log_level level;
        char text[LOG_LINE_SIZE];
    } lines[LOG_LINES]; /* guarded by `lock`, up to `count` */
    atomic_size_t count;
    char listens[LOG_LINE_SIZE]; /* guarded by `lock`: what follows "listens on ", of the last such line */
    atomic_size_t listens_count; /* how many such lines there were */
    atomic_size_t count_of_level[JZ_LOG_ERROR + 1];
} log_lines;

/* All that was kept is forgotten; the options get a log that keeps its lines here. */
void log_lines_begin(log_lines *log, jz_options *options);

/* Waits for line `number`, the first being 0, and compares it. */
void log_lines_expect(log_lines *log, size_t number, jz_log_level level, const char *text);

/* Whether any line has this text somewhere. */
bool log_lines_have(log_lines *log, const char *text);

#endif
