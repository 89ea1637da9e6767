/* Masking, in place and into other memory, at every alignment, against RFC 6455 §5.3 word for word. */
#include "codec/mask.h"

#include "support/fuzz_input.h"

static void mask_as_the_rfc_says(uint8_t *bytes, size_t length, const uint8_t key[4], size_t offset)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = bytes[i] ^ key[(offset + i) % 4];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    uint8_t key[4];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = fuzz_take_byte(&input);
    size_t offset = fuzz_take_byte(&input);
    size_t alignment = fuzz_take_below(&input, 16);
    size_t border = fuzz_take_uint16(&input) % (input.length + 1);

    uint8_t *expected = fuzz_copy(input.bytes, input.length);
    mask_as_the_rfc_says(expected, input.length, key, offset);

    uint8_t *memory = fuzz_allocate(alignment + input.length);
    uint8_t *masked = memory + alignment;
    jz_mask(masked, input.bytes, input.length, key, offset);
    require(input.length == 0 || memcmp(masked, expected, input.length) == 0, "into other memory, it masks");
    jz_mask(masked, masked, input.length, key, offset);
    require(input.length == 0 || memcmp(masked, input.bytes, input.length) == 0, "in place, it unmasks");

    jz_mask(masked, masked, border, key, offset);
    jz_mask(masked + border, masked + border, input.length - border, key, offset + border);
    require(input.length == 0 || memcmp(masked, expected, input.length) == 0, "in two parts, it masks the same");

    free(memory);
    free(expected);
    return 0;
}
