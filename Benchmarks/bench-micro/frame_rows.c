/* Frame headers: read, judged, written. */
#include <string.h>

#include "codec/frame_header.h"
#include "session/outgoing.h"
#include "session/frame_rules.h"
#include "../common/client_frame.h"
#include "../common/reader.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

enum { SMALL = 20, SENDS = 32 };

typedef struct header_case {
    uint8_t bytes[JZ_MAX_FRAME_HEADER + 65536];
    size_t length;
} header_case;

typedef struct judging {
    reader reader;
    jz_frame_header header;
} judging;

/* The overhead in the figures of the shortest rows. */
static void do_nothing(void *state, uint64_t turns)
{
    for (uint64_t i = 0; i < turns; i++)
        consume(*(const uint8_t *)opaque_const(state));
}

static void decode(void *state, uint64_t turns)
{
    const header_case *what = state;
    for (uint64_t i = 0; i < turns; i++) {
        jz_frame_header header;
        jz_frame_header_decode(opaque_const(what->bytes), what->length, &header);
        consume(header.payload_length);
    }
}

static void judge(void *state, uint64_t turns)
{
    judging *what = state;
    for (uint64_t i = 0; i < turns; i++)
        consume(jz_judge_frame(opaque_const(&what->reader.session), opaque_const(&what->header)));
}

/* So many into one buffer, which is then emptied: as a read with so many messages fills the loop's cork. */
static void send(void *state, uint64_t turns)
{
    static const char message[SMALL + 1] = "twenty bytes of text";
    reader *reader = state;
    for (uint64_t i = 0; i < turns; i++) {
        for (int j = 0; j < SENDS; j++)
            jz_session_send(&reader->session, JZ_MESSAGE_TEXT, opaque_const(message), SMALL, &reader->output);
        reader->output.length = 0;
    }
}

void add_frame_rows(table *table)
{
    static const struct {
        size_t length;
        const char *name;
    } lengths[] = {{SMALL, "of 20 B, 6 bytes"}, {1024, "of 1 KB, 8 bytes"}, {65536, "of 64 KB, 14 bytes"}};
    static header_case cases[sizeof lengths / sizeof lengths[0]];
    static uint8_t payload[65536];
    static judging judged;
    static reader sender;

    table_add(table, 0, do_nothing, cases, "nothing: the loop that measures");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        cases[i].length =
            write_client_frame(cases[i].bytes, JZ_OPCODE_TEXT, 0, toggling_key, payload, lengths[i].length);
        table_add(table, 0, decode, &cases[i], "decode a frame's header, %s", lengths[i].name)->goal =
            (goal){GOAL_NANOSECONDS, 3};
    }
    reader_open(&judged.reader, READER_LOOKS, false);
    jz_frame_header_decode(cases[0].bytes, cases[0].length, &judged.header);
    table_add(table, 0, judge, &judged, "judge a frame's header");

    reader_open(&sender, READER_LOOKS, false);
    row *small = table_add(table, SMALL, send, &sender, "send 20 B into the output buffer");
    small->batch = SENDS;
    small->goal = (goal){GOAL_NANOSECONDS, 15};
}
