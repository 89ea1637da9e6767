/* Messages that compress to nothing, somewhat, and not at all. */
#ifndef JAZZY_TESTS_CONTENT_H
#define JAZZY_TESTS_CONTENT_H

#include "session/buffer.h"
#include "random.h"

typedef enum test_content { ZEROS, LETTERS, NOISE, CONTENTS } test_content;

/* Puts a message into the buffer, in place of what it held. */
void test_content_fill(jz_buffer *message, test_content content, size_t length, test_random *random);

#endif
