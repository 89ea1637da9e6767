/* permessage-deflate in shared mode: every message alone, with the compressors of the loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/compression.h"
#include "../common/reader.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

/* Two messages alternate, because a message equal to the last one would not be compressed again. */
enum { LARGEST = 16384, VARIANTS = 2, WINDOW_BITS = 15 };

typedef struct compressing {
    reader reader;
    size_t length;
    uint8_t plain[VARIANTS][LARGEST];
    jz_buffer compressed[VARIANTS];
} compressing;

static void deflate_messages(void *state, uint64_t turns)
{
    compressing *what = state;
    for (uint64_t i = 0; i < turns; i++) {
        const jz_buffer *compressed;
        for (int variant = 0; variant < VARIANTS; variant++) {
            consume(jz_compress_alone(&what->reader.workspace, &what->reader.settings.deflate, WINDOW_BITS,
                                      opaque_const(what->plain[variant]), what->length, &compressed));
        }
    }
}

static void inflate_messages(void *state, uint64_t turns)
{
    compressing *what = state;
    for (uint64_t i = 0; i < turns; i++) {
        for (int variant = 0; variant < VARIANTS; variant++) {
            consume(jz_decompress(&what->reader.workspace, NULL, WINDOW_BITS,
                                  opaque_const(what->compressed[variant].bytes), what->compressed[variant].length,
                                  LARGEST));
        }
    }
}

static void prepare(compressing *what, size_t length)
{
    what->length = length;
    reader_open(&what->reader, READER_LOOKS, true);
    jz_compression_workspace *workspace = &what->reader.workspace;
    for (unsigned variant = 0; variant < VARIANTS; variant++) {
        const jz_buffer *compressed;
        fill_json(what->plain[variant], length, variant);
        if (!jz_compress_alone(workspace, &what->reader.settings.deflate, WINDOW_BITS, what->plain[variant], length,
                               &compressed) ||
            !jz_buffer_append(&what->compressed[variant], compressed->bytes, compressed->length) ||
            jz_decompress(workspace, NULL, WINDOW_BITS, compressed->bytes, compressed->length, LARGEST) !=
                JZ_FAILURE_NONE ||
            workspace->decompressed.length != length ||
            memcmp(workspace->decompressed.bytes, what->plain[variant], length) != 0) {
            fprintf(stderr, "bench-micro: what was compressed is not what comes out again: see `make test-c`\n");
            exit(2);
        }
    }
}

void add_compression_rows(table *table)
{
    static const struct {
        size_t length;
        const char *name;
    } sizes[] = {{200, "200 B"}, {LARGEST, "16 KB"}};
    static compressing cases[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        compressing *what = &cases[i];
        prepare(what, sizes[i].length);
        row *row = table_add(table, what->length, deflate_messages, what, "deflate JSON, shared, %s", sizes[i].name);
        row->batch = VARIANTS;
        snprintf(row->note, sizeof row->note, "to %zu B, %.0f %%", what->compressed[0].length,
                 100.0 * (double)what->compressed[0].length / (double)what->length);
        table_add(table, what->length, inflate_messages, what, "inflate JSON, shared, %s", sizes[i].name)->batch =
            VARIANTS;
    }
}
