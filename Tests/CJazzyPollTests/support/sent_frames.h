/* Checks the frames that a row's session must send; compressed ones with plain zlib. */
#ifndef JAZZY_TESTS_SENT_FRAMES_H
#define JAZZY_TESTS_SENT_FRAMES_H

#include "session_row.h"

/* The frames that are due; freed with due_frames_free. */
typedef struct due_frames {
    test_frame *first;
    size_t count;
} due_frames;

due_frames due_frames_of(const session_row *row);
void due_frames_free(due_frames *due);

enum { SENT_FRAMES_TEXT_SIZE = 256 };

/*
 * Whether these bytes are the frames that a row's session must send. If not, `text` says why. A compressed frame is
 * inflated with exactly the window and the context that the handshake promised.
 */
bool sent_frames_are_due(const session_row *row, const jz_buffer *sent, char text[SENT_FRAMES_TEXT_SIZE]);

#endif
