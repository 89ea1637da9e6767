/* Reads of files that do not end before a test says so, as from a disk that hangs. */
#ifndef JAZZY_TEST_READ_CALLS_H
#define JAZZY_TEST_READ_CALLS_H

/* From now on pread(2) waits. */
void test_reads_wait(void);

/* It goes on, and those that wait, too. */
void test_reads_go_on(void);

#endif
