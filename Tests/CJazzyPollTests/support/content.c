#include "content.h"

#include "testing.h"

void test_content_fill(jz_buffer *message, test_content content, size_t length, test_random *random)
{
    static const char letters[] = "etaoin shrdlu";
    message->length = 0;
    assert_true(jz_buffer_reserve(message, length, SIZE_MAX));
    for (size_t i = 0; i < length; i++) {
        uint64_t any = test_random_next(random);
        message->bytes[i] = content == ZEROS     ? 0
                            : content == LETTERS ? (uint8_t)letters[any % (sizeof letters - 1)]
                                                 : (uint8_t)any;
    }
    message->length = length;
}
