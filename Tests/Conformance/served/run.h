/* Plays the rows of the conformance suite against servers, one for each topic and each way that leads to them. */
#ifndef JAZZY_CONFORMANCE_RUN_H
#define JAZZY_CONFORMANCE_RUN_H

#include "row_server.h"

/* Only the rows of one file; NULL: of all. Returns how many topics failed. */
size_t run_topics(const row_way *ways, size_t count, const char *file);

#endif
