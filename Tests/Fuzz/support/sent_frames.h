/* What a server sent, read as a client reads it. */
#ifndef JAZZY_FUZZ_SENT_FRAMES_H
#define JAZZY_FUZZ_SENT_FRAMES_H

#include "session_run.h"

/*
 * Requires of the output that it is a sequence of well-formed unmasked frames, holds exactly what was sent, compressed
 * as was agreed, and a close frame where there has to be one.
 */
void sent_frames_check(const session_script *script, const session_record *record);

#endif
