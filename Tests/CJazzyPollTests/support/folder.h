/* A folder of a test's own, for the files of Unix domain sockets: these are a test's set-up and tear-down. */
#ifndef JAZZY_TESTS_FOLDER_H
#define JAZZY_TESTS_FOLDER_H

/* It, and the file in it that the test is about: NUL-terminated, after the set-up. */
extern char folder[64];
extern char path[128];

int make_folder(void **state);

/* Fails where a file was left behind. */
int remove_folder(void **state);

#endif
