/* The table of measurements. */
#ifndef BENCH_MICRO_ROW_H
#define BENCH_MICRO_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/compiler.h"

enum { MAX_ROWS = 128, MAX_REPETITIONS = 1000 };

typedef enum goal_kind {
    GOAL_NONE,
    GOAL_NANOSECONDS, /* at most so many for one operation */
    GOAL_GIGABYTES,   /* at least so many in a second */
    GOAL_OF_MEMCPY    /* at least that share of the GB/s of the yardstick, the first row */
} goal_kind;

typedef struct goal {
    goal_kind kind;
    double value;
} goal;

typedef struct row {
    char name[64];
    char note[48];
    size_t bytes; /* of one operation; 0 where GB/s say nothing */
    goal goal;
    size_t batch; /* operations in one iteration of the loop in `run` */
    void (*run)(void *state, uint64_t turns);
    void *state;

    uint64_t turns;                      /* of one repetition, as calibrated */
    double nanoseconds[MAX_REPETITIONS]; /* of one operation: what each repetition measured, later sorted */
} row;

typedef struct table {
    size_t count;
    size_t repetitions;
    row rows[MAX_ROWS];
} table;

/* Adds a row and returns it, so that the caller adds a goal, a batch or a note where there is one. */
row *table_add(table *table, size_t bytes, void (*run)(void *state, uint64_t turns), void *state, const char *name, ...)
    JZ_PRINTF(5, 6);

/* Each adds the rows of one subject; the first adds the yardstick, which has to be the first row. */
void add_mask_rows(table *table);
void add_text_rows(table *table);
void add_frame_rows(table *table);
void add_session_rows(table *table);
void add_compression_rows(table *table);
void add_handshake_rows(table *table);

/* Runs every row: calibrates it, then repeats all of them in turn. */
void table_measure(table *table, unsigned milliseconds);

/* The median of the repetitions, and the throughput per second. */
double row_median(const table *table, const row *row);
double row_gigabytes_per_second(const table *table, const row *row);

/* The interquartile range as a share of the median. */
double row_spread(const table *table, const row *row);

/* Whether the median meets the goal; no goal is always met. */
bool goal_is_met(const table *table, const row *row);

#endif
