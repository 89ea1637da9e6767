/* Running the jobs of a connection, on a worker. */
#ifndef JAZZY_SERVER_WORK_RUNNER_H
#define JAZZY_SERVER_WORK_RUNNER_H

#include "work.h"

/*
 * Runs the oldest job of some work that was taken out of the queue, and puts the work back where more wait. Called with
 * the lock of the workers taken, and returns with it taken; the handler runs without it.
 */
void jz_work_run_next(jz_work *work);

#endif
