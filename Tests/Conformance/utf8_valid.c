/* Text that is UTF-8 (RFC 6455 §5.6, §8.1): every boundary code point, whole and cut by fragments at every position. */
#include "topics.h"
#include "utf8_reference.h"

/* The first and last code points of each length, around the surrogates, where lead bytes change, and non-characters. */
static const uint32_t boundaries[] = {0x0,     0x7F,    0x80,    0x7FF,    0x800,    0xFFF,   0x1000, 0xCFFF,
                                      0xD000,  0xD7FF,  0xE000,  0xFEFF,   0xFFFD,   0xFFFE,  0xFFFF, 0x10000,
                                      0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFE, 0x10FFFF};

static void add_whole(topic *topic, uint32_t code_point)
{
    uint8_t bytes[4];
    test_bytes text = topic_bytes(topic, bytes, reference_utf8_encode(code_point, bytes));
    topic_add(topic, (session_row){.name = topic_text(topic, "U+%04X", code_point),
                                   .steps = STEPS(PEER(TEXT_OF(text))),
                                   .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, text))});
}

/* "a", the character and "z", in two fragments; the first ends within the character. */
static void add_cut(topic *topic, uint32_t code_point)
{
    uint8_t bytes[6] = {'a'};
    size_t length = reference_utf8_encode(code_point, bytes + 1);
    bytes[length + 1] = 'z';
    test_bytes text = topic_bytes(topic, bytes, length + 2);
    for (size_t cut = 1; cut < length; cut++) {
        size_t first = cut + 1;
        topic_add(topic,
                  (session_row){
                      .name = topic_text(topic, "U+%04X cut by fragments after byte %zu", code_point, cut),
                      .steps = STEPS(PEER({.opcode = JZ_OPCODE_TEXT, .payload = {text.pattern, first, first}}),
                                     PEER({.fin = true,
                                           .opcode = JZ_OPCODE_CONTINUATION,
                                           .payload = {text.pattern + first, text.total - first, text.total - first}})),
                      .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, text))});
    }
}

/* Each byte in a fragment of its own, a ping and an empty fragment behind each. */
static void add_in_bytes(topic *topic, uint32_t code_point)
{
    uint8_t bytes[4];
    size_t length = reference_utf8_encode(code_point, bytes);
    test_bytes text = topic_bytes(topic, bytes, length);
    session_step steps[3 * 4 + 1];
    session_event events[4 + 1];
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        steps[count++] = (session_step)PEER(
            {.opcode = i == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_CONTINUATION, .payload = {text.pattern + i, 1, 1}});
        steps[count++] = (session_step)PEER(PING("?"));
        steps[count++] = (session_step)PEER(CONTINUATION(""));
        events[i] = (session_event)GOT_PING("?");
    }
    steps[count++] = (session_step)PEER(LAST(""));
    events[length] = (session_event)GOT_OF(JZ_MESSAGE_TEXT, text);
    topic_add(topic, (session_row){.name = topic_text(topic, "U+%04X in fragments of a byte, with pings", code_point),
                                   .steps = {steps, count},
                                   .events = {events, length + 1}});
}

static const session_row texts[] = {
    {.name = "no text", .steps = STEPS(PEER(TEXT(""))), .events = EVENTS(GOT_TEXT(""))},
    {.name = "no text in three fragments",
     .steps = STEPS(PEER(TEXT_START("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT(""))},
    {.name = "characters of all lengths in every order",
     .steps =
         STEPS(PEER(TEXT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB7\xE2\x82\xAC\xC3\xA9\xF0\x9F\x8E\xB7z\xE2\x82\xAC"))),
     .events =
         EVENTS(GOT_TEXT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB7\xE2\x82\xAC\xC3\xA9\xF0\x9F\x8E\xB7z\xE2\x82\xAC"))},
    {.name = "NUL in the middle", .steps = STEPS(PEER(TEXT("a\0z"))), .events = EVENTS(GOT_TEXT("a\0z"))},
    {.name = "a byte order mark is kept",
     .steps = STEPS(PEER(TEXT("\xEF\xBB\xBFtext"))),
     .events = EVENTS(GOT_TEXT("\xEF\xBB\xBFtext"))},
    {.name = "300 characters of two bytes",
     .steps = STEPS(PEER(TEXT_OF(REPEATED("\xC3\xA9", 600)))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("\xC3\xA9", 600)))},
    {.name = "30,000 characters of three bytes",
     .steps = STEPS(PEER(TEXT_OF(REPEATED("\xE2\x82\xAC", 90000)))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("\xE2\x82\xAC", 90000))),
     .is_large = true},
    {.name = "30,000 characters of four bytes, and then another text",
     .steps = STEPS(PEER(TEXT_OF(REPEATED("\xF0\x9F\x8E\xB7", 120000))), PEER(TEXT("z"))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("\xF0\x9F\x8E\xB7", 120000)), GOT_TEXT("z")),
     .is_large = true},
    {.name = "binary need not be UTF-8",
     .steps = STEPS(PEER(BINARY("\xFF\xC0\xAF\xED\xA0\x80"))),
     .events = EVENTS(GOT_BINARY("\xFF\xC0\xAF\xED\xA0\x80"))},
    {.name = "binary fragments need not be UTF-8",
     .steps = STEPS(PEER(BINARY_START("\xE2")), PEER(LAST("\xE2"))),
     .events = EVENTS(GOT_BINARY("\xE2\xE2"))},
    {.name = "each text begins anew",
     .steps = STEPS(PEER(BINARY("\xE2")), PEER(TEXT("a")), PEER(TEXT_START("\xC3")), PEER(LAST("\xA9")),
                    PEER(TEXT("\xC3\xA9"))),
     .events = EVENTS(GOT_BINARY("\xE2"), GOT_TEXT("a"), GOT_TEXT("\xC3\xA9"), GOT_TEXT("\xC3\xA9"))},
};

void add_valid_utf8_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        topic_add(topic, texts[i]);
    for (size_t i = 0; i < COUNT_OF(boundaries); i++) {
        add_whole(topic, boundaries[i]);
        add_cut(topic, boundaries[i]);
        if (boundaries[i] > 0x7F)
            add_in_bytes(topic, boundaries[i]);
    }
    /* Code points that are for ever no characters are Unicode scalar values all the same. */
    for (uint32_t plane = 1; plane < 16; plane++) {
        add_whole(topic, plane << 16 | 0xFFFE);
        if (plane != 3 && plane != 15) /* which are boundaries too */
            add_whole(topic, plane << 16 | 0xFFFF);
    }
    add_whole(topic, 0xFDD0);
    add_whole(topic, 0xFDEF);
}
