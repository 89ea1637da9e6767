/* A session that is fed frames: the input is its settings (16 bytes) and a script of frames, see frame_script.h. */
#include "support/frame_script.h"
#include "support/session_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    session_script script;
    session_script_choose(&script, &input);
    frame_script frames;
    frame_script_init(&frames, &script, &input);
    frame_script_read(&frames);
    session_check(&script, &frames.expected_events);
    frame_script_free(&frames);
    session_script_free(&script);
    return 0;
}
