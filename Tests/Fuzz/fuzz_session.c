/* A session with arbitrary input: the first 16 bytes are its settings, the rest is the client's input. */
#include "support/session_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    session_script script;
    session_script_choose(&script, &input);
    require(jz_buffer_append(&script.bytes, input.bytes, input.length), "the fuzzer has memory");
    session_check(&script, NULL);
    session_script_free(&script);
    return 0;
}
