#include "codec/frame_header.h"

#include "support/random.h"
#include "support/testing.h"

typedef struct header_row {
    const char *name;
    const char *bytes;
    size_t length;
    jz_frame_header header;
} header_row;

#define WIRE(literal) .bytes = (literal), .length = sizeof(literal) - 1

static const header_row examples_of_the_rfc[] = {
    {"an unmasked text message",
     WIRE("\x81\x05"),
     {.fin = true, .opcode = JZ_OPCODE_TEXT, .header_length = 2, .length_is_minimal = true, .payload_length = 5}},
    {"a masked text message",
     WIRE("\x81\x85\x37\xfa\x21\x3d"),
     {.fin = true,
      .opcode = JZ_OPCODE_TEXT,
      .masked = true,
      .masking_key = {0x37, 0xFA, 0x21, 0x3D},
      .header_length = 6,
      .length_is_minimal = true,
      .payload_length = 5}},
    {"the first of two fragments",
     WIRE("\x01\x03"),
     {.opcode = JZ_OPCODE_TEXT, .header_length = 2, .length_is_minimal = true, .payload_length = 3}},
    {"the second of two fragments",
     WIRE("\x80\x02"),
     {.fin = true,
      .opcode = JZ_OPCODE_CONTINUATION,
      .header_length = 2,
      .length_is_minimal = true,
      .payload_length = 2}},
    {"an unmasked ping",
     WIRE("\x89\x05"),
     {.fin = true, .opcode = JZ_OPCODE_PING, .header_length = 2, .length_is_minimal = true, .payload_length = 5}},
    {"a masked pong",
     WIRE("\x8a\x85\x37\xfa\x21\x3d"),
     {.fin = true,
      .opcode = JZ_OPCODE_PONG,
      .masked = true,
      .masking_key = {0x37, 0xFA, 0x21, 0x3D},
      .header_length = 6,
      .length_is_minimal = true,
      .payload_length = 5}},
    {"256 bytes of binary",
     WIRE("\x82\x7E\x01\x00"),
     {.fin = true, .opcode = JZ_OPCODE_BINARY, .header_length = 4, .length_is_minimal = true, .payload_length = 256}},
    {"64 KiB of binary",
     WIRE("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"),
     {.fin = true,
      .opcode = JZ_OPCODE_BINARY,
      .header_length = 10,
      .length_is_minimal = true,
      .payload_length = 65536}},
};

static const header_row lengths[] = {
    {"0", WIRE("\x82\x00"), {.header_length = 2, .length_is_minimal = true, .payload_length = 0}},
    {"125", WIRE("\x82\x7D"), {.header_length = 2, .length_is_minimal = true, .payload_length = 125}},
    {"126", WIRE("\x82\x7E\x00\x7E"), {.header_length = 4, .length_is_minimal = true, .payload_length = 126}},
    {"127", WIRE("\x82\x7E\x00\x7F"), {.header_length = 4, .length_is_minimal = true, .payload_length = 127}},
    {"65,535", WIRE("\x82\x7E\xFF\xFF"), {.header_length = 4, .length_is_minimal = true, .payload_length = 65535}},
    {"65,536",
     WIRE("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"),
     {.header_length = 10, .length_is_minimal = true, .payload_length = 65536}},
    {"every byte of 64 bits",
     WIRE("\x82\x7F\x01\x23\x45\x67\x89\xAB\xCD\xEF"),
     {.header_length = 10, .length_is_minimal = true, .payload_length = UINT64_C(0x0123456789ABCDEF)}},
    {"the longest that is allowed",
     WIRE("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
     {.header_length = 10, .length_is_minimal = true, .payload_length = INT64_MAX}},
};

static const header_row unusual_headers[] = {
    {"0 in 16 bits", WIRE("\x82\x7E\x00\x00"), {.fin = true, .opcode = 2, .header_length = 4, .payload_length = 0}},
    {"125 in 16 bits", WIRE("\x82\x7E\x00\x7D"), {.fin = true, .opcode = 2, .header_length = 4, .payload_length = 125}},
    {"0 in 64 bits",
     WIRE("\x82\x7F\0\0\0\0\0\0\0\0"),
     {.fin = true, .opcode = 2, .header_length = 10, .payload_length = 0}},
    {"126 in 64 bits",
     WIRE("\x82\x7F\0\0\0\0\0\0\0\x7E"),
     {.fin = true, .opcode = 2, .header_length = 10, .payload_length = 126}},
    {"65,535 in 64 bits",
     WIRE("\x82\x7F\0\0\0\0\0\0\xFF\xFF"),
     {.fin = true, .opcode = 2, .header_length = 10, .payload_length = 65535}},
    {"the most significant bit of the length",
     WIRE("\x82\x7F\x80\0\0\0\0\0\0\0"),
     {.fin = true, .opcode = 2, .header_length = 10, .length_is_minimal = true, .payload_length = UINT64_C(1) << 63}},
    {"RSV1",
     WIRE("\xC1\x00"),
     {.fin = true, .opcode = 1, .reserved = JZ_RSV1, .header_length = 2, .length_is_minimal = true}},
    {"RSV2",
     WIRE("\xA1\x00"),
     {.fin = true, .opcode = 1, .reserved = JZ_RSV2, .header_length = 2, .length_is_minimal = true}},
    {"RSV3",
     WIRE("\x91\x00"),
     {.fin = true, .opcode = 1, .reserved = JZ_RSV3, .header_length = 2, .length_is_minimal = true}},
    {"a reserved opcode", WIRE("\x0F\x00"), {.opcode = 15, .header_length = 2, .length_is_minimal = true}},
    {"the longest header",
     WIRE("\x82\xFF\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04"),
     {.fin = true,
      .opcode = 2,
      .masked = true,
      .masking_key = {1, 2, 3, 4},
      .header_length = 14,
      .length_is_minimal = true,
      .payload_length = 65536}},
};

static void check_decoded(const header_row *row)
{
    jz_frame_header header = {0};
    assert_that(jz_frame_header_decode((const uint8_t *)row->bytes, row->length, &header), "%s: refused", row->name);
    const jz_frame_header *expected = &row->header;
    assert_that(header.fin == expected->fin, "%s: FIN", row->name);
    assert_that(header.reserved == expected->reserved, "%s: reserved bits", row->name);
    assert_that(header.opcode == expected->opcode, "%s: opcode", row->name);
    assert_that(header.masked == expected->masked, "%s: MASK", row->name);
    assert_that(header.header_length == expected->header_length, "%s: header length", row->name);
    assert_that(header.length_is_minimal == expected->length_is_minimal, "%s: shortest length", row->name);
    assert_that(header.payload_length == expected->payload_length, "%s: payload length", row->name);
    if (expected->masked)
        assert_memory_equal(header.masking_key, expected->masking_key, 4);
}

static void decodes_the_examples_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples_of_the_rfc); i++)
        check_decoded(&examples_of_the_rfc[i]);
}

static void encodes_the_unmasked_examples_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples_of_the_rfc); i++) {
        const header_row *row = &examples_of_the_rfc[i];
        if (row->header.masked)
            continue; /* a server never sends these */
        uint8_t bytes[JZ_MAX_SENT_FRAME_HEADER];
        size_t length = jz_frame_header_encode(bytes, row->header.fin, row->header.reserved, row->header.opcode,
                                               row->header.payload_length);
        assert_that(length == row->length && memcmp(bytes, row->bytes, length) == 0, "%s", row->name);
    }
}

static void encodes_and_decodes_lengths_at_the_borders_of_their_encodings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        header_row row = lengths[i];
        row.header.fin = true;
        row.header.opcode = JZ_OPCODE_BINARY;
        check_decoded(&row);
        uint8_t bytes[JZ_MAX_SENT_FRAME_HEADER];
        size_t length = jz_frame_header_encode(bytes, true, 0, JZ_OPCODE_BINARY, row.header.payload_length);
        assert_that(length == row.length && memcmp(bytes, row.bytes, length) == 0, "length %s", row.name);
    }
}

static void decodes_what_breaks_rules_without_judging_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unusual_headers); i++)
        check_decoded(&unusual_headers[i]);
}

static void asks_for_more_and_tells_nothing_while_the_header_is_truncated(void **state)
{
    (void)state;
    for (unsigned second = 0; second <= 0xFF; second++) {
        const uint8_t bytes[JZ_MAX_FRAME_HEADER] = {0x82, (uint8_t)second, 0x7F, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
        size_t needed = jz_frame_header_length(bytes);
        for (size_t length = 0; length < needed; length++) {
            jz_frame_header header;
            memset(&header, 0xEE, sizeof header);
            /* A copy of exactly this length, so that a read beyond it is seen by the address sanitizer. */
            uint8_t *truncated = malloc(length);
            if (length > 0)
                memcpy(truncated, bytes, length);
            assert_that(!jz_frame_header_decode(truncated, length, &header), "%zu of %zu bytes", length, needed);
            assert_true(!header.fin && !header.masked && header.opcode == 0 && header.reserved == 0);
            assert_true(header.header_length == 0 && header.payload_length == 0);
            free(truncated);
        }
        jz_frame_header header;
        assert_true(jz_frame_header_decode(bytes, needed, &header));
        assert_int_equal(header.header_length, needed);
    }
}

static void the_second_byte_tells_the_header_length(void **state)
{
    (void)state;
    static const struct {
        uint8_t second;
        size_t length;
    } rows[] = {{0, 2}, {125, 2}, {126, 4}, {127, 10}, {0x80, 6}, {0x80 | 125, 6}, {0x80 | 126, 8}, {0x80 | 127, 14}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const uint8_t bytes[2] = {0xFF, rows[i].second};
        assert_int_equal(jz_frame_header_length(bytes), rows[i].length);
    }
}

static void every_header_decodes_to_what_was_encoded(void **state)
{
    (void)state;
    test_random random = {52};
    for (unsigned first = 0; first <= 0xFF; first++) {
        for (size_t round = 0; round < 64; round++) {
            bool fin = (first & 0x80) != 0;
            uint8_t reserved = (first >> 4) & 7;
            uint8_t opcode = first & 0xF;
            uint64_t payload_length = test_random_next(&random) >> round;
            uint8_t bytes[JZ_MAX_SENT_FRAME_HEADER];
            size_t length = jz_frame_header_encode(bytes, fin, reserved, opcode, payload_length);
            jz_frame_header header;
            assert_true(jz_frame_header_decode(bytes, length, &header));
            assert_int_equal(header.fin, fin);
            assert_int_equal(header.reserved, reserved);
            assert_int_equal(header.opcode, opcode);
            assert_int_equal(header.header_length, length);
            assert_true(header.payload_length == payload_length);
            assert_true(header.length_is_minimal);
            assert_false(header.masked);
        }
    }
}

static void opcodes_from_8_on_are_control_frames(void **state)
{
    (void)state;
    for (uint8_t opcode = 0; opcode <= 0xF; opcode++)
        assert_int_equal(jz_opcode_is_control(opcode), opcode >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_examples_of_the_rfc),
        cmocka_unit_test(encodes_the_unmasked_examples_of_the_rfc),
        cmocka_unit_test(encodes_and_decodes_lengths_at_the_borders_of_their_encodings),
        cmocka_unit_test(decodes_what_breaks_rules_without_judging_it),
        cmocka_unit_test(asks_for_more_and_tells_nothing_while_the_header_is_truncated),
        cmocka_unit_test(the_second_byte_tells_the_header_length),
        cmocka_unit_test(every_header_decodes_to_what_was_encoded),
        cmocka_unit_test(opcodes_from_8_on_are_control_frames),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("frame_header", tests, NULL, NULL));
}
