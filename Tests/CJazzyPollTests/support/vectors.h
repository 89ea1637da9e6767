/* Running the same tests with each kind of vector instructions that this processor has. */
#ifndef JAZZY_TESTS_VECTORS_H
#define JAZZY_TESTS_VECTORS_H

/* Calls `run`, which runs tests and returns how many failed, for each kind; says which could not be tested here. */
int test_with_each_vectors(int (*run)(const char *vectors));

#endif
