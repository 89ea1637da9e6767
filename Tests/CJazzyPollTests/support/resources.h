/* Resources that a server uses and must return: descriptors, threads and memory. */
#ifndef JAZZY_TESTS_RESOURCES_H
#define JAZZY_TESTS_RESOURCES_H

/* Records the resources in use. A fixture of cmocka. */
int resources_note(void **state);

/* Asserts that no more is in use than was recorded. A fixture, too. */
int resources_expect_none_left(void **state);

/* A test with both around it. */
#define test_without_leaks(test) cmocka_unit_test_setup_teardown(test, resources_note, resources_expect_none_left)

#endif
