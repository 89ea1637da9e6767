/* What a server uses of this process, and has to give back: descriptors, threads and memory. */
#ifndef JAZZY_TESTS_RESOURCES_H
#define JAZZY_TESTS_RESOURCES_H

/* Notes what is in use. A fixture of cmocka. */
int resources_note(void **state);

/* Asserts that no more is in use than was noted. A fixture likewise. */
int resources_expect_none_left(void **state);

/* A test with both around it. */
#define test_without_leaks(test) cmocka_unit_test_setup_teardown(test, resources_note, resources_expect_none_left)

#endif
