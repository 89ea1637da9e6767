/* Messages that compress to nothing, somewhat, and not at all. */
#ifndef JAZZY_TESTS_CONTENT_H
#define JAZZY_TESTS_CONTENT_H

#include "session/buffer.h"
#include "random.h"

typedef enum test_content { ZEROS, LETTERS, NOISE, CONTENTS } test_content;

/* Replaces the content of the buffer by a message. */
void test_content_fill(jz_buffer *message, test_content content, size_t length, test_random *random);

#endif
