/* Resource usage of a process, by its pid. */
#ifndef JAZZY_BENCH_PROCESS_H
#define JAZZY_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* CPU time of all its threads in nanoseconds, from /proc/PID/task/TID/schedstat. Ends the program when there is none.
 */
uint64_t process_cpu_ns(pid_t process);

/* The memory that is the process's own and was written to, from /proc/PID/smaps_rollup, in bytes. */
uint64_t process_private_dirty(pid_t process);

/* CPU time of this program in nanoseconds. */
uint64_t own_cpu_ns(void);

/* A clock that only goes forward, in nanoseconds. */
uint64_t clock_ns(void);

#endif
