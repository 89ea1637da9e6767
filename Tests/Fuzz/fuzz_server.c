/*
 * A whole server, with its loop in this thread, on a simulated kernel (server/kernel.h): the input chooses its options,
 * and then what its peers send, in which pieces, how much the kernel takes, what fails, and calls of other threads.
 * Requires that handlers get what was sent, that every client gets what was accepted for it, in order, that nothing is
 * left at the end, and that the loop does not spin.
 */
#include "server/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    play_all(&input, &plain_line, &(jz_listen_options){0});
    return 0;
}
