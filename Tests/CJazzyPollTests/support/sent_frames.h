/* What a row's session has to send, and whether it did: compared with plain zlib where it is compressed. */
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
 * Whether these bytes are the frames that a row's session has to send. Where not, `text` tells why. A compressed frame
 * is inflated with the window and the context that the answer promises, and no larger ones.
 */
bool sent_frames_are_due(const session_row *row, const jz_buffer *sent, char text[SENT_FRAMES_TEXT_SIZE]);

#endif
