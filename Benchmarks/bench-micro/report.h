/* Prints the results, for people or for programs. */
#ifndef BENCH_MICRO_REPORT_H
#define BENCH_MICRO_REPORT_H

#include "row.h"

void report_text(const table *table);

/*
 * One object, {"rows": [...]}: of each row its name, bytes, ns, minimum_ns, gigabytes_per_second, spread, goal (a
 * text), met and note; null where there is none.
 */
void report_json(const table *table);

#endif
