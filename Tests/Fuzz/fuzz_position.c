/* Positions that clients send back: arbitrary text. What is read is what would be written. */
#include "jazzy/history.h"

#include "support/fuzz_input.h"
#include "support/plain_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    char written[JZ_POSITION_SIZE];
    jz_position position = {0};
    if (jz_position_parse(text, size, &position)) {
        require(jz_position_format(position, written) == size, "a position has one text");
        require(memcmp(written, text, size) == 0, "a position is written as it was read");
    } else {
        require(position.epoch == 0 && position.offset == 0, "what is no position changes nothing");
    }
    free(text);
    return 0;
}
