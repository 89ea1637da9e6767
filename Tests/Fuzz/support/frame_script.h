/*
 * A grammar of frames. The fuzzer's bytes are read as a script: messages whole and in fragments, compressed and not,
 * control frames between them, close frames, and actions of the server; any frame can have a wrong field. As long as
 * nothing is wrong, the expected events are known.
 */
#ifndef JAZZY_FUZZ_FRAME_SCRIPT_H
#define JAZZY_FUZZ_FRAME_SCRIPT_H

#include "client_deflate.h"
#include "session_script.h"

typedef struct frame_script {
    session_script *script;    /* borrowed; frames and actions are added to it */
    fuzz_input *input;         /* borrowed */
    client_deflate deflate;    /* where there is an agreement */
    jz_buffer expected_events; /* a transcript: the events as far as they are known */
    bool is_predictable;
} frame_script;

/* Begins with the settings that the script has. */
void frame_script_init(frame_script *frames, session_script *script, fuzz_input *input);
void frame_script_free(frame_script *frames);

/* Reads the input to its end. */
void frame_script_read(frame_script *frames);

#endif
