/* UTF-8: checked alone, and unmasked in the same go. */
#include <stdalign.h>
#include <stdbool.h>

#include "codec/frame_header.h"
#include "codec/unmask_text.h"
#include "codec/utf8.h"
#include "../common/client_frame.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

enum { LARGEST = 65536, SIZES = 4 };

typedef struct text_case {
    uint8_t *text;
    size_t length;
} text_case;

/* Each row has its own bytes, so that the caches have only what the row needs. */
static alignas(64) uint8_t received[TEXT_KINDS][SIZES][JZ_MAX_FRAME_HEADER + LARGEST];

/* All that a session does with a text that is complete in one read. */
static bool unmask_and_check(uint8_t *text, size_t length)
{
    jz_utf8 state = {0};
    return jz_unmask_text(&state, text, text, length, toggling_key, 0) && jz_utf8_is_complete(&state);
}

static void check(void *state, uint64_t turns)
{
    const text_case *what = state;
    for (uint64_t i = 0; i < turns; i++)
        consume(jz_utf8_is_valid(opaque_const(what->text), what->length));
}

/* The text goes back and forth between two that are both UTF-8. */
static void unmask_with_check(void *state, uint64_t turns)
{
    const text_case *what = state;
    for (uint64_t i = 0; i < turns; i++)
        consume(unmask_and_check(opaque(what->text), what->length));
}

void add_text_rows(table *table)
{
    static const struct {
        size_t length;
        size_t header_length;
        const char *name;
    } sizes[SIZES] = {{125, 6, "125 B"}, {1024, 8, "1 KB"}, {16384, 8, "16 KB"}, {LARGEST, 14, "64 KB"}};
    static text_case cases[TEXT_KINDS][SIZES];
    static const goal goals[TEXT_KINDS] = {[TEXT_ASCII] = {GOAL_GIGABYTES, 8}, [TEXT_MIXED] = {GOAL_GIGABYTES, 3}};

    for (int kind = 0; kind < TEXT_KINDS; kind++) {
        for (int i = 0; i < SIZES; i++) {
            text_case *what = &cases[kind][i];
            *what = (text_case){received[kind][i] + sizes[i].header_length, sizes[i].length};
            fill_text(what->text, what->length, (text_kind)kind);
            table_add(table, what->length, check, what, "UTF-8 check, %s, %s", text_names[kind], sizes[i].name);
            row *both = table_add(table, what->length, unmask_with_check, what, "unmask and UTF-8 check, %s, %s",
                                  text_names[kind], sizes[i].name);
            if (what->length >= 1024)
                both->goal = goals[kind];
        }
    }
}
