/* Whole reads, from received bytes to the handler and back. */
#include <stdalign.h>

#include "codec/frame_header.h"
#include "../common/client_frame.h"
#include "../common/reader.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

enum { LARGEST = 65536 };

typedef struct reading {
    reader reader;
    size_t length;     /* of what was received */
    size_t first_feed; /* how much of it comes first */
    alignas(64) uint8_t received[JZ_MAX_FRAME_HEADER + LARGEST];
} reading;

typedef struct reading_kind {
    const char *name;
    size_t payload_length;
    size_t messages;
    size_t feeds; /* 1, or 2 halves */
    reader_handler handler;
    uint8_t opcode;
} reading_kind;

static const reading_kind kinds[] = {
    {"echo 20 B binary, 1 in a read", 20, 1, 1, READER_ECHOES, JZ_OPCODE_BINARY},
    {"echo 20 B binary, 32 in a read", 20, 32, 1, READER_ECHOES, JZ_OPCODE_BINARY},
    {"echo 20 B text, 1 in a read", 20, 1, 1, READER_ECHOES, JZ_OPCODE_TEXT},
    {"echo 20 B text, 32 in a read", 20, 32, 1, READER_ECHOES, JZ_OPCODE_TEXT},
    {"read 64 KB binary, whole in a read", LARGEST, 1, 1, READER_LOOKS, JZ_OPCODE_BINARY},
    {"read 64 KB binary, in two reads", LARGEST, 1, 2, READER_LOOKS, JZ_OPCODE_BINARY},
    {"read 64 KB ASCII text, whole in a read", LARGEST, 1, 1, READER_LOOKS, JZ_OPCODE_TEXT},
    {"read 64 KB ASCII text, in two reads", LARGEST, 1, 2, READER_LOOKS, JZ_OPCODE_TEXT},
    {"echo 64 KB binary, whole in a read", LARGEST, 1, 1, READER_ECHOES, JZ_OPCODE_BINARY},
};

static void read_whole(void *state, uint64_t turns)
{
    reading *what = state;
    for (uint64_t i = 0; i < turns; i++)
        consume(reader_read(&what->reader, opaque(what->received), what->length));
}

static void read_halves(void *state, uint64_t turns)
{
    reading *what = state;
    for (uint64_t i = 0; i < turns; i++) {
        uint8_t *received = opaque(what->received);
        consume(reader_read(&what->reader, received, what->first_feed));
        consume(reader_read(&what->reader, received + what->first_feed, what->length - what->first_feed));
    }
}

static void prepare(reading *what, const reading_kind *kind)
{
    static uint8_t payload[LARGEST];
    fill_text(payload, kind->payload_length, TEXT_ASCII);
    for (size_t i = 0; i < kind->messages; i++)
        what->length += write_client_frame(what->received + what->length, kind->opcode, 0, toggling_key, payload,
                                           kind->payload_length);
    what->first_feed = what->length / 2;
    reader_open(&what->reader, kind->handler, false);
    reader_check(&what->reader, what->received, what->length, kind->messages);
}

void add_session_rows(table *table)
{
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    static reading readings[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        prepare(&readings[i], &kinds[i]);
        table_add(table, kinds[i].payload_length, kinds[i].feeds == 1 ? read_whole : read_halves, &readings[i], "%s",
                  kinds[i].name)
            ->batch = kinds[i].messages;
    }
}
