/* The fuzzer's bytes, taken off the front as choices and contents. Once they are used up every choice is 0. */
#ifndef JAZZY_FUZZ_INPUT_H
#define JAZZY_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"

typedef struct fuzz_input {
    const uint8_t *bytes;
    size_t length;
} fuzz_input;

static inline uint8_t fuzz_take_byte(fuzz_input *input)
{
    if (input->length == 0)
        return 0;
    input->length--;
    return *input->bytes++;
}

/* From 0 to `bound` - 1, `bound` being at most 256. */
static inline uint8_t fuzz_take_below(fuzz_input *input, unsigned bound)
{
    return (uint8_t)(fuzz_take_byte(input) % bound);
}

static inline uint16_t fuzz_take_uint16(fuzz_input *input)
{
    unsigned high = fuzz_take_byte(input);
    return (uint16_t)(high << 8 | fuzz_take_byte(input));
}

/* The next `length` bytes, or as many as there are. */
static inline fuzz_input fuzz_take_bytes(fuzz_input *input, size_t length)
{
    fuzz_input taken = {input->bytes, length < input->length ? length : input->length};
    input->bytes += taken.length;
    input->length -= taken.length;
    return taken;
}

/* Memory of exactly this size, so that the address sanitizer sees the first byte that is read beyond it. */
static inline void *fuzz_allocate(size_t length)
{
    void *bytes = malloc(length);
    require(bytes != NULL, "the fuzzer has memory");
    return bytes;
}

/* A copy that is the caller's to free. */
static inline void *fuzz_copy(const void *bytes, size_t length)
{
    void *copy = fuzz_allocate(length);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
