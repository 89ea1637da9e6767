/* Masking, beside copying as the yardstick. */
#include <stdalign.h>
#include <string.h>

#include "codec/frame_header.h"
#include "codec/mask.h"
#include "../common/client_frame.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

enum { LARGEST = 65536 };

typedef struct copying {
    uint8_t *destination;
    const uint8_t *source;
    size_t length;
} copying;

/* Aligned to a cache line, then room for the frame's header: payloads are aligned as in a receive buffer. */
static alignas(64) uint8_t received[JZ_MAX_FRAME_HEADER + LARGEST];
static alignas(64) uint8_t elsewhere[LARGEST];

static void copy(void *state, uint64_t turns)
{
    const copying *what = state;
    for (uint64_t i = 0; i < turns; i++)
        memcpy(opaque(what->destination), opaque_const(what->source), what->length);
}

/* In place the payload goes back and forth between masked and plain. */
static void unmask(void *state, uint64_t turns)
{
    const copying *what = state;
    for (uint64_t i = 0; i < turns; i++)
        jz_mask(opaque(what->destination), opaque_const(what->source), what->length, toggling_key, 0);
}

void add_mask_rows(table *table)
{
    static const struct {
        size_t length;
        size_t header_length;
        const char *name;
    } sizes[] = {{20, 6, "20 B"}, {125, 6, "125 B"}, {1024, 8, "1 KB"}, {16384, 8, "16 KB"}, {LARGEST, 14, "64 KB"}};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    static copying yardstick = {elsewhere, received + JZ_MAX_FRAME_HEADER, LARGEST};
    static copying in_place[SIZES];
    static copying to_elsewhere[SIZES];

    fill_text(received + JZ_MAX_FRAME_HEADER, LARGEST, TEXT_ASCII);
    table_add(table, LARGEST, copy, &yardstick, "memcpy, 64 KB");
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t *payload = received + sizes[i].header_length;
        in_place[i] = (copying){payload, payload, sizes[i].length};
        to_elsewhere[i] = (copying){elsewhere, payload, sizes[i].length};
        const goal goal = sizes[i].length == LARGEST ? (struct goal){GOAL_OF_MEMCPY, 0.8}
                          : sizes[i].length == 125   ? (struct goal){GOAL_GIGABYTES, 4}
                                                     : (struct goal){GOAL_NONE, 0};
        table_add(table, sizes[i].length, unmask, &in_place[i], "unmask in place, %s", sizes[i].name)->goal = goal;
        table_add(table, sizes[i].length, unmask, &to_elsewhere[i], "unmask copying, %s", sizes[i].name)->goal = goal;
    }
}
