/* The header of a message between processes, as bytes and as values; and what of others passes for a text. */
#include "envelope/envelope.h"

#include "envelope/utf8.h"
#include "support/testing.h"

static const struct {
    const char *name;
    jz_redis_envelope envelope;
    size_t size;
    uint8_t bytes[JZ_REDIS_ENVELOPE_MOST];
} written[] = {
    {"a text of a connection",
     {.kind = JZ_REDIS_TEXT, .origin = 0x0102030405060708, .sequence = 9, .publisher = 0x1112131415161718},
     28,
     {0xFF, 'J', 1, 0x21, 1, 2, 3,    4,    5,    6,    7,    8,    0,    0,
      0,    0,   0, 0,    0, 9, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18}},
    {"a first binary message of the server",
     {.kind = JZ_REDIS_BINARY, .is_anew = true, .origin = 1, .sequence = UINT64_MAX},
     20,
     {0xFF, 'J', 1, 0x12, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
    {"an announcement",
     {.kind = JZ_REDIS_ANNOUNCEMENT, .origin = 1, .sequence = 3, .lost_from = 2},
     28,
     {0xFF, 'J', 1, 0x03, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2}},
    {"something lost anywhere",
     {.kind = JZ_REDIS_LOST_ANY, .origin = 1},
     20,
     {0xFF, 'J', 1, 0x04, 0, 0, 0, 0, 0, 0, 0, 1}},
    {"a marker", {.kind = JZ_REDIS_MARKER, .origin = 1, .sequence = 7}, 20, {0xFF, 'J', 1, 0x08, 0, 0, 0, 0, 0, 0,
                                                                             0,    1,   0, 0,    0, 0, 0, 0, 0, 7}},
    {"a probe", {.kind = JZ_REDIS_PROBE, .origin = 1, .sequence = 7}, 20, {0xFF, 'J', 1, 0x05, 0, 0, 0, 0, 0, 0,
                                                                           0,    1,   0, 0,    0, 0, 0, 0, 0, 7}},
};

static void each_kind_is_written_and_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        uint8_t bytes[JZ_REDIS_ENVELOPE_MOST] = {0};
        size_t size = jz_redis_envelope_write(&written[i].envelope, bytes);
        assert_that(size == written[i].size, "%s has %zu bytes", written[i].name, size);
        assert_that(memcmp(bytes, written[i].bytes, size) == 0, "%s", written[i].name);
        jz_redis_envelope read = {0};
        size_t header = 0;
        assert_that(jz_redis_envelope_read(bytes, size, &read, &header) == JZ_REDIS_READ, "%s", written[i].name);
        const jz_redis_envelope *expected = &written[i].envelope;
        assert_that(read.kind == expected->kind && read.is_anew == expected->is_anew &&
                        read.origin == expected->origin && read.sequence == expected->sequence &&
                        read.lost_from == expected->lost_from && read.publisher == expected->publisher,
                    "%s", written[i].name);
        assert_int_equal(header, read.kind == JZ_REDIS_ANNOUNCEMENT ? 20 : size);
    }
}

/* Bytes, as a literal without its NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1
#define ORIGIN_1 "\0\0\0\0\0\0\0\1"
#define NUMBER_1 "\0\0\0\0\0\0\0\1"
#define NUMBER_0 "\0\0\0\0\0\0\0\0"

static void what_is_no_header_is_a_text_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t length;
        jz_redis_reading reading;
        size_t header;
    } cases[] = {
        {"nothing", BYTES(""), JZ_REDIS_FOREIGN, 0},
        {"a text of others", BYTES("hello, wörld"), JZ_REDIS_FOREIGN, 0},
        {"bytes of others", BYTES("hello \xFE"), JZ_REDIS_UNREADABLE, 0},
        {"half of the magic", BYTES("\xFF"), JZ_REDIS_UNREADABLE, 0},
        {"the magic", BYTES("\xFFJ"), JZ_REDIS_UNREADABLE, 0},
        {"a text of ours", BYTES("\xFFJ\1\1" ORIGIN_1 NUMBER_1 "hello"), JZ_REDIS_READ, 20},
        {"an empty text of ours", BYTES("\xFFJ\1\1" ORIGIN_1 NUMBER_1), JZ_REDIS_READ, 20},
        {"a text that is none", BYTES("\xFFJ\1\1" ORIGIN_1 NUMBER_1 "\xC3("), JZ_REDIS_UNREADABLE, 0},
        {"binary", BYTES("\xFFJ\1\2" ORIGIN_1 NUMBER_1 "\xC3("), JZ_REDIS_READ, 20},
        {"with its publisher", BYTES("\xFFJ\1\x22" ORIGIN_1 NUMBER_1 NUMBER_1 "hello"), JZ_REDIS_READ, 28},
        {"without the publisher it says", BYTES("\xFFJ\1\x22" ORIGIN_1 NUMBER_1 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"a publisher of 0", BYTES("\xFFJ\1\x22" ORIGIN_1 NUMBER_1 NUMBER_0 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"cut", BYTES("\xFFJ\1\1" ORIGIN_1 "\0\0\0\0\0\0\0"), JZ_REDIS_UNREADABLE, 0},
        {"another version", BYTES("\xFFJ\2\1" ORIGIN_1 NUMBER_1 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"an unknown bit", BYTES("\xFFJ\1\x41" ORIGIN_1 NUMBER_1 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"no kind", BYTES("\xFFJ\1\0" ORIGIN_1 NUMBER_1 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"an unknown kind", BYTES("\xFFJ\1\x09" ORIGIN_1 NUMBER_1), JZ_REDIS_UNREADABLE, 0},
        {"a kept text", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1 NUMBER_1 NUMBER_1 "hello"), JZ_REDIS_READ, 36},
        {"a kept one with its publisher", BYTES("\xFFJ\1\x27" ORIGIN_1 NUMBER_1 NUMBER_1 NUMBER_1 NUMBER_1 "\xC3("),
         JZ_REDIS_READ, 44},
        {"a kept text that is none", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1 NUMBER_1 NUMBER_1 "\xC3("),
         JZ_REDIS_UNREADABLE, 0},
        {"a kept text without a position", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1), JZ_REDIS_UNREADABLE, 0},
        {"a kept text with half of one", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1 NUMBER_1 "\0\0\0\0\0\0\0"),
         JZ_REDIS_UNREADABLE, 0},
        {"a kept text without an epoch", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1 NUMBER_0 NUMBER_1), JZ_REDIS_UNREADABLE,
         0},
        {"a kept text without an offset", BYTES("\xFFJ\1\6" ORIGIN_1 NUMBER_1 NUMBER_1 NUMBER_0), JZ_REDIS_UNREADABLE,
         0},
        {"a marker with more", BYTES("\xFFJ\1\x08" ORIGIN_1 NUMBER_1 "\0"), JZ_REDIS_UNREADABLE, 0},
        {"no origin", BYTES("\xFFJ\1\1" NUMBER_0 NUMBER_1 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"no number", BYTES("\xFFJ\1\1" ORIGIN_1 NUMBER_0 "hello"), JZ_REDIS_UNREADABLE, 0},
        {"a short announcement", BYTES("\xFFJ\1\3" ORIGIN_1 NUMBER_1 "\0\0\0\0\0\0\0"), JZ_REDIS_UNREADABLE, 0},
        {"a long announcement", BYTES("\xFFJ\1\3" ORIGIN_1 NUMBER_1 NUMBER_1 "\0"), JZ_REDIS_UNREADABLE, 0},
        {"an announcement anew", BYTES("\xFFJ\1\x13" ORIGIN_1 NUMBER_1 NUMBER_1), JZ_REDIS_UNREADABLE, 0},
        {"an announcement of a publisher", BYTES("\xFFJ\1\x23" ORIGIN_1 NUMBER_1 NUMBER_1), JZ_REDIS_UNREADABLE, 0},
        {"an announcement of nothing", BYTES("\xFFJ\1\3" ORIGIN_1 NUMBER_0 NUMBER_1), JZ_REDIS_UNREADABLE, 0},
        {"a probe with more", BYTES("\xFFJ\1\5" ORIGIN_1 NUMBER_1 "\0"), JZ_REDIS_UNREADABLE, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* Memory of exactly this size: the sanitizer sees what is read beyond it. */
        uint8_t *bytes = malloc(cases[i].length + (cases[i].length == 0));
        assert_non_null(bytes);
        memcpy(bytes, cases[i].bytes, cases[i].length);
        jz_redis_envelope envelope;
        size_t header = 1;
        jz_redis_reading reading = jz_redis_envelope_read(bytes, cases[i].length, &envelope, &header);
        assert_that(reading == cases[i].reading && header == cases[i].header, "%s: %d, %zu", cases[i].name,
                    (int)reading, header);
        free(bytes);
    }
    jz_redis_envelope envelope;
    size_t header;
    assert_int_equal(jz_redis_envelope_read(NULL, 0, &envelope, &header), JZ_REDIS_FOREIGN);
}

/* RFC 3629 §4, another way: a character is decoded, and then written again. */
static bool is_utf8_by_decoding(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t size = bytes[i] < 0x80 ? 1 : bytes[i] < 0xE0 ? 2 : bytes[i] < 0xF0 ? 3 : 4;
        uint32_t code = size == 1 ? bytes[i] : bytes[i] & (0xFFU >> (size + 1));
        if (size > length - i || (bytes[i] >= 0x80 && bytes[i] < 0xC0) || bytes[i] >= 0xF8)
            return false;
        for (size_t k = 1; k < size; k++) {
            if ((bytes[i + k] & 0xC0) != 0x80)
                return false;
            code = code << 6 | (bytes[i + k] & 0x3F);
        }
        size_t least = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (least != size || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += size;
    }
    return true;
}

static void a_kept_message_has_its_position(void **state)
{
    (void)state;
    jz_redis_envelope envelope;
    size_t header;
    const char bytes[] = "\xFFJ\1\x26" ORIGIN_1 NUMBER_1 "\0\0\0\0\0\0\0\2"
                         "\1\2\3\4\5\6\7\x08"
                         "\0\0\0\0\0\0\0\x09"
                         "hello";
    assert_int_equal(jz_redis_envelope_read((const uint8_t *)bytes, sizeof bytes - 1, &envelope, &header),
                     JZ_REDIS_READ);
    assert_string_equal(bytes + header, "hello");
    assert_true(envelope.kind == JZ_REDIS_KEPT_TEXT && envelope.publisher == 2 && envelope.lost_from == 0);
    assert_true(envelope.epoch == 0x0102030405060708 && envelope.offset == 9);
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                    0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF};
    size_t count = COUNT_OF(edges);
    uint8_t bytes[20];
    for (size_t all = 0; all < count * count * count * count; all++) {
        memset(bytes, 'a', sizeof bytes);
        size_t place = all % 17; /* behind words of ASCII, and at their edges */
        for (size_t i = 0, rest = all; i < 4; i++, rest /= count)
            bytes[place + i > 19 ? 19 : place + i] = edges[rest % count];
        for (size_t length = place; length <= place + 4 && length <= sizeof bytes; length++) {
            if (jz_redis_is_utf8(bytes, length) != is_utf8_by_decoding(bytes, length))
                fail_msg("%zu bytes of number %zu", length, all);
        }
    }
}

static void each_start_has_another_origin(void **state)
{
    (void)state;
    assert_int_not_equal(jz_redis_new_origin(), jz_redis_new_origin());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_written_and_read),   cmocka_unit_test(what_is_no_header_is_a_text_or_nothing),
        cmocka_unit_test(a_kept_message_has_its_position), cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(each_start_has_another_origin),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("envelope", tests, NULL, NULL));
}
