/* Where a compressed message may end (RFC 7692 §7.2.1, §7.2.2). Other messages are tested through sessions. */
#include "session/compression.h"
#include "support/testing.h"

enum { LIMIT = 65536 };

/*
 * A stored block that lacks its last four bytes: the bytes that the receiver appends complete it. It is a message,
 * however much room there was when it ended.
 */
static void a_block_may_be_completed_by_what_the_receiver_appends(void **state)
{
    (void)state;
    static const size_t lengths[] = {4, 5, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 32768, 65535};
    static uint8_t block[5 + 65535];
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        size_t length = lengths[i];
        const uint8_t header[] = {0x00, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)~length,
                                  (uint8_t)(~length >> 8)};
        memset(block, 'x', sizeof block);
        memcpy(block, header, sizeof header);
        jz_compression_workspace workspace = {0};
        jz_failure failure = jz_decompress(&workspace, NULL, 0, block, sizeof header + length - 4, LIMIT);
        assert_that(failure == JZ_FAILURE_NONE, "%zu bytes: %s", length, jz_failure_text(failure));
        assert_int_equal(workspace.decompressed.length, length);
        assert_memory_equal(workspace.decompressed.bytes + length - 4, "\x00\x00\xFF\xFF", 4);
        jz_compression_workspace_free(&workspace);
    }
}

/*
 * A block with a code of its own, in which the end of the block is fifteen ones: of the bits that a receiver appends it
 * leaves one over, which the next message would begin with.
 */
static void a_message_may_not_end_within_a_byte(void **state)
{
    (void)state;
    static const uint8_t block[] = {0x04, 0xE0, 0x81, 0x92, 0x24, 0x49, 0x92, 0x24, 0xC9, 0x7E, 0x2B, 0x12,
                                    0x8B, 0x9A, 0x47, 0x56, 0xCF, 0xDE, 0xFB, 0x7F, 0x00, 0x00, 0x80, 0x07};
    jz_compression_workspace workspace = {0};
    assert_int_equal(jz_decompress(&workspace, NULL, 0, block, sizeof block, LIMIT), JZ_FAILURE_INVALID_COMPRESSION);
    jz_compression_workspace_free(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_may_be_completed_by_what_the_receiver_appends),
        cmocka_unit_test(a_message_may_not_end_within_a_byte),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
