#include "row.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

row *table_add(table *table, size_t bytes, void (*run)(void *state, uint64_t turns), void *state, const char *name, ...)
{
    if (table->count == MAX_ROWS) {
        fprintf(stderr, "bench-micro: there are more rows than MAX_ROWS in row.h allows\n");
        exit(2);
    }
    row *added = &table->rows[table->count++];
    *added = (row){.bytes = bytes, .batch = 1, .run = run, .state = state};
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(added->name, sizeof added->name, name, arguments);
    va_end(arguments);
    return added;
}

/*
 * Processor time, not wall-clock time: excludes what the machine does for other processes, as far as the kernel knows.
 * Evicted caches, and time that a hypervisor takes away, are included: see the spread.
 */
static double run_for(const row *row, uint64_t turns)
{
    clock_t start = clock();
    row->run(row->state, turns);
    return (double)(clock() - start) * (1e9 / CLOCKS_PER_SEC);
}

/* The number of iterations that take this long; finding it also warms up caches and predictors. */
static void calibrate(row *row, double wanted_nanoseconds)
{
    uint64_t turns = 1;
    double taken = run_for(row, turns);
    while (taken < wanted_nanoseconds / 4) {
        turns *= 2;
        taken = run_for(row, turns);
    }
    row->turns = (uint64_t)((double)turns * wanted_nanoseconds / taken) + 1;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

void table_measure(table *table, unsigned milliseconds)
{
    for (size_t i = 0; i < table->count; i++)
        calibrate(&table->rows[i], milliseconds * 1e6);
    /* All rows in turn, repeatedly: if the machine becomes slower, it does so for all of them. */
    for (size_t repetition = 0; repetition < table->repetitions; repetition++) {
        for (size_t i = 0; i < table->count; i++) {
            row *row = &table->rows[i];
            double operations = (double)row->turns * (double)row->batch;
            row->nanoseconds[repetition] = run_for(row, row->turns) / operations;
        }
    }
    for (size_t i = 0; i < table->count; i++)
        qsort(table->rows[i].nanoseconds, table->repetitions, sizeof(double), compare);
}

/* Between two repetitions where the share falls between them. */
static double quantile(const table *table, const row *row, double share)
{
    double position = share * (double)(table->repetitions - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < table->repetitions ? below + 1 : below;
    double fraction = position - (double)below;
    return row->nanoseconds[below] * (1 - fraction) + row->nanoseconds[above] * fraction;
}

double row_median(const table *table, const row *row)
{
    return quantile(table, row, 0.5);
}

double row_spread(const table *table, const row *row)
{
    return (quantile(table, row, 0.75) - quantile(table, row, 0.25)) / row_median(table, row);
}

double row_gigabytes_per_second(const table *table, const row *row)
{
    return (double)row->bytes / row_median(table, row);
}

bool goal_is_met(const table *table, const row *row)
{
    switch (row->goal.kind) {
    case GOAL_NANOSECONDS:
        return row_median(table, row) <= row->goal.value;
    case GOAL_GIGABYTES:
        return row_gigabytes_per_second(table, row) >= row->goal.value;
    case GOAL_OF_MEMCPY:
        return row_gigabytes_per_second(table, row) >=
               row->goal.value * row_gigabytes_per_second(table, &table->rows[0]);
    default:
        return true;
    }
}
