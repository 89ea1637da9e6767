/* Parses a server's output as a client does. */
#ifndef JAZZY_FUZZ_SENT_FRAMES_H
#define JAZZY_FUZZ_SENT_FRAMES_H

#include "session_run.h"

/*
 * Requires that the output is a sequence of well-formed unmasked frames with exactly what was sent, compressed as
 * agreed, and a close frame if there must be one.
 */
void sent_frames_check(const session_script *script, const session_record *record);

#endif
