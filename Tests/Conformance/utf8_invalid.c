/*
 * Text that is not UTF-8 (RFC 6455 §8.1): refused with 1007 at the first impossible byte, before the rest of the frame
 * has arrived. A separate reference implementation (utf8_reference.h) determines that byte.
 */
#include "topics.h"
#include "utf8_reference.h"

typedef struct bad_text {
    const char *name;
    test_bytes bytes;
} bad_text;

/* The bytes up to the impossible one, of a frame that claims to have more. */
static void add_fail_fast(topic *topic, const char *name, test_bytes text)
{
    size_t impossible = reference_utf8_first_impossible((const uint8_t *)text.pattern, text.total);
    assert_that(impossible < text.total, "'%s' is UTF-8 so far", name);
    size_t length = impossible + 1;
    topic_add(topic, (session_row){.name = topic_text(topic, "%s, refused at once", name),
                                   .steps = STEPS(PEER({.fin = true,
                                                        .opcode = JZ_OPCODE_TEXT,
                                                        .claimed_length = 1000,
                                                        .payload = {text.pattern, length, length}})),
                                   .fails_with_last_byte = true,
                                   FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
}

static void add_wherever_it_stands(topic *topic, const bad_text *text)
{
    test_bytes all = text->bytes;
    size_t before = reference_utf8_first_impossible((const uint8_t *)all.pattern, all.total);
    test_bytes possible = {all.pattern, before, before};
    test_bytes impossible = {all.pattern + before, all.total - before, all.total - before};
    topic_add(topic, (session_row){.name = topic_text(topic, "%s, as a whole text", text->name),
                                   .steps = STEPS(PEER(TEXT_OF(all)), PEER(PING("after"))),
                                   FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
    topic_add(topic, (session_row){.name = topic_text(topic, "%s, in a first fragment", text->name),
                                   .steps = STEPS(PEER({.opcode = JZ_OPCODE_TEXT, .payload = all}), PEER(PING("after")),
                                                  PEER(LAST("after"))),
                                   FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s, in a last fragment", text->name),
                            .steps = STEPS(PEER(TEXT("before")), PEER(TEXT_START("\xC3\xA9")), PEER(PING("?")),
                                           PEER({.fin = true, .opcode = JZ_OPCODE_CONTINUATION, .payload = all})),
                            .events = EVENTS(GOT_TEXT("before"), GOT_PING("?")),
                            FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s, cut by fragments before the impossible byte", text->name),
                            .steps = STEPS(PEER({.opcode = JZ_OPCODE_TEXT, .payload = possible}), PEER(PING("?")),
                                           PEER({.opcode = JZ_OPCODE_CONTINUATION,
                                                 .claimed_length = 1000,
                                                 .payload = {impossible.pattern, 1, 1}})),
                            .events = EVENTS(GOT_PING("?")),
                            .fails_with_last_byte = true,
                            FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
    add_fail_fast(topic, text->name, all);
}

static const bad_text texts[] = {
    {"a stray continuation byte", BYTES("Hello\x80")},
    {"the last continuation byte", BYTES("\xBF")},
    {"continuation bytes alone", BYTES("\x80\xBF\x80\xBF\x80\xBF")},
    {"two bytes without the second", BYTES("\xC3 ")},
    {"three bytes without the second", BYTES("\xE2 \xAC")},
    {"three bytes without the third", BYTES("\xE2\x82 ")},
    {"four bytes without the second", BYTES("\xF0 \x8E\xB7")},
    {"four bytes without the third", BYTES("\xF0\x9F \xB7")},
    {"four bytes without the fourth", BYTES("\xF0\x9F\x8E ")},
    {"a character within a character", BYTES("\xE2\xE2\x82\xAC")},
    {"one byte too many", BYTES("\xE2\x82\xAC\xAC")},
    {"a slash in two bytes", BYTES("\xC0\xAF")},
    {"a slash in three bytes", BYTES("\xE0\x80\xAF")},
    {"a slash in four bytes", BYTES("\xF0\x80\x80\xAF")},
    {"a slash in five bytes", BYTES("\xF8\x80\x80\x80\xAF")},
    {"a slash in six bytes", BYTES("\xFC\x80\x80\x80\x80\xAF")},
    {"NUL in two bytes", BYTES("\xC0\x80")},
    {"NUL in three bytes", BYTES("\xE0\x80\x80")},
    {"NUL in four bytes", BYTES("\xF0\x80\x80\x80")},
    {"U+007F in two bytes", BYTES("\xC1\xBF")},
    {"U+07FF in three bytes", BYTES("\xE0\x9F\xBF")},
    {"U+FFFF in four bytes", BYTES("\xF0\x8F\xBF\xBF")},
    {"the first surrogate, U+D800", BYTES("\xED\xA0\x80")},
    {"the last high surrogate, U+DBFF", BYTES("\xED\xAF\xBF")},
    {"the first low surrogate, U+DC00", BYTES("\xED\xB0\x80")},
    {"the last surrogate, U+DFFF", BYTES("\xED\xBF\xBF")},
    {"a pair of surrogates", BYTES("\xED\xA0\xBC\xED\xBE\xB7")},
    {"the first code point too high, U+110000", BYTES("\xF4\x90\x80\x80")},
    {"U+13FFFF", BYTES("\xF4\xBF\xBF\xBF")},
    {"U+140000", BYTES("\xF5\x80\x80\x80")},
    {"U+1FFFFF", BYTES("\xF7\xBF\xBF\xBF")},
    {"U+200000, in five bytes", BYTES("\xF8\x88\x80\x80\x80")},
    {"U+3FFFFFF, in five bytes", BYTES("\xFB\xBF\xBF\xBF\xBF")},
    {"U+7FFFFFFF, in six bytes", BYTES("\xFD\xBF\xBF\xBF\xBF\xBF")},
    {"the bytes FE and FF", BYTES("\xFE\xFF")},
    {"UTF-16", BYTES("\xFF\xFEH\0i\0")},
    {"Latin-1", BYTES("caf\xE9 au lait")},
    {"an impossible byte after much text",
     BYTES("0123456789012345678901234567890123456789012345678901234567890123456\xFF")},
};

/* Every byte with which no character can begin. */
static void add_impossible_first_bytes(topic *topic)
{
    for (unsigned byte = 0x80; byte <= 0xFF; byte++) {
        uint8_t bytes[] = {(uint8_t)byte};
        if (reference_utf8_first_impossible(bytes, 1) == 0)
            add_fail_fast(topic, topic_text(topic, "%02X first", byte), topic_bytes(topic, bytes, 1));
    }
}

/* Every byte with which a character of several bytes can begin, and around the bytes that may come second. */
static void add_impossible_second_bytes(topic *topic)
{
    for (unsigned first = 0xC2; first <= 0xF4; first++) {
        unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        uint8_t below[] = {(uint8_t)first, (uint8_t)(lowest - 1)};
        uint8_t above[] = {(uint8_t)first, (uint8_t)(highest + 1)};
        add_fail_fast(topic, topic_text(topic, "%02X and then %02X", first, below[1]), topic_bytes(topic, below, 2));
        add_fail_fast(topic, topic_text(topic, "%02X and then %02X", first, above[1]), topic_bytes(topic, above, 2));
    }
}

/* A text that ends within a character is refused at its end, and not before: more could come. */
static void add_unfinished(topic *topic)
{
    static const uint8_t characters[][5] = {"\xC2\x80",     "\xDF\xBF",         "\xE0\xA0\x80",    "\xED\x9F\xBF",
                                            "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        size_t whole = strlen((const char *)characters[i]);
        for (size_t length = 1; length < whole; length++) {
            test_bytes part = topic_bytes(topic, characters[i], length);
            const char *name = topic_text(topic, "the first %s of %02X %02X%s",
                                          length == 1   ? "byte"
                                          : length == 2 ? "two bytes"
                                                        : "three bytes",
                                          characters[i][0], characters[i][1], whole > 2 ? " ..." : "");
            topic_add(topic, (session_row){.name = topic_text(topic, "%s at a text's end", name),
                                           .steps = STEPS(PEER(TEXT_OF(part))),
                                           .fails_with_last_byte = true,
                                           FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
            topic_add(topic,
                      (session_row){.name = topic_text(topic, "%s, and an empty last fragment", name),
                                    .steps = STEPS(PEER({.opcode = JZ_OPCODE_TEXT, .payload = part}), PEER(LAST(""))),
                                    .fails_with_last_byte = true,
                                    FAILS_WITH(JZ_FAILURE_INVALID_UTF8)});
            topic_add(topic, (session_row){
                                 .name = topic_text(topic, "%s, waited for", name),
                                 .steps = STEPS(PEER(
                                     {.fin = true, .opcode = JZ_OPCODE_TEXT, .claimed_length = 1000, .payload = part})),
                                 .ends_under_way = true});
            topic_add(topic, (session_row){.name = topic_text(topic, "%s, waited for in the next fragment", name),
                                           .steps = STEPS(PEER({.opcode = JZ_OPCODE_TEXT, .payload = part})),
                                           .ends_under_way = true});
        }
    }
}

void add_invalid_utf8_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        add_wherever_it_stands(topic, &texts[i]);
    add_impossible_first_bytes(topic);
    add_impossible_second_bytes(topic);
    add_unfinished(topic);
}
