/* UTF-8, whole, in any parts, byte by byte and within a long text, against a plain reference: the same answer at the
 * same byte. */
#include "codec/utf8.h"

#include "support/fuzz_input.h"
#include "support/reference_utf8.h"

enum { MAX_PARTS = 8, LONG = 8192 };

/* The length of the shortest prefix that cannot become UTF-8; SIZE_MAX where there is none. */
static size_t find_impossible_prefix(const uint8_t *bytes, size_t length)
{
    if (reference_utf8(bytes, length) != REFERENCE_UTF8_IMPOSSIBLE)
        return SIZE_MAX;
    size_t prefix = 1;
    while (reference_utf8(bytes, prefix) != REFERENCE_UTF8_IMPOSSIBLE)
        prefix++;
    return prefix;
}

/* Feeds parts, with the lengths in rotation, until one is refused. Each result must depend only on the text so far. */
static void feed_in_parts(fuzz_input text, const size_t *lengths, size_t count, size_t impossible_prefix)
{
    jz_utf8 state = {0};
    size_t fed = 0;
    for (size_t i = 0; fed < text.length; i++) {
        size_t wanted = lengths[i % count];
        size_t part = wanted < text.length - fed ? wanted : text.length - fed;
        uint8_t *copy = fuzz_copy(text.bytes + fed, part);
        bool is_possible = jz_utf8_feed(&state, copy, part);
        free(copy);
        fed += part;
        require(is_possible == (fed < impossible_prefix), "text is refused with its first impossible byte");
        if (!is_possible)
            return;
    }
    bool is_valid = reference_utf8(text.bytes, text.length) == REFERENCE_UTF8_VALID;
    require(jz_utf8_is_complete(&state) == is_valid, "text is complete between characters");
}

/* Long texts are checked in other steps. All of it but the input is right: one character again and again. */
static void check_within_long_text(fuzz_input input, size_t position, size_t script)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x9A\x80"};
    const char *character = characters[script % 4];
    size_t size = strlen(character);
    size_t length = input.length < LONG / 2 ? input.length : LONG / 2;
    position %= LONG - length + 1;
    uint8_t *text = fuzz_allocate(LONG);
    memset(text, '.', LONG);
    for (size_t i = 0; i + size <= position; i += size)
        memcpy(text + i, character, size);
    if (length > 0)
        memcpy(text + position, input.bytes, length);
    for (size_t i = position + length; i + size <= LONG; i += size)
        memcpy(text + i, character, size);
    bool is_valid = reference_utf8(text, LONG) == REFERENCE_UTF8_VALID;
    require(jz_utf8_is_valid(text, LONG) == is_valid, "text is judged alike within a long one");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    size_t lengths[MAX_PARTS];
    size_t count = 1 + (size_t)fuzz_take_below(&input, MAX_PARTS);
    for (size_t i = 0; i < count; i++)
        lengths[i] = 1 + (size_t)fuzz_take_byte(&input);

    size_t impossible_prefix = find_impossible_prefix(input.bytes, input.length);
    bool is_valid = reference_utf8(input.bytes, input.length) == REFERENCE_UTF8_VALID;
    uint8_t *whole = fuzz_copy(input.bytes, input.length);
    require(jz_utf8_is_valid(whole, input.length) == is_valid, "whole text is judged as the reference does");
    free(whole);

    static const size_t byte_by_byte[] = {1};
    feed_in_parts(input, (const size_t[]){SIZE_MAX}, 1, impossible_prefix);
    feed_in_parts(input, byte_by_byte, 1, impossible_prefix);
    feed_in_parts(input, lengths, count, impossible_prefix);
    check_within_long_text(input, lengths[0] << 8 | lengths[count - 1], count);
    return 0;
}
