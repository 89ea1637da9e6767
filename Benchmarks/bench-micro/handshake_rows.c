/* The opening handshake, from the request's bytes to the response's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/reader.h"
#include "../common/texts.h"
#include "opaque.h"
#include "row.h"

static void shake_hands(void *state, uint64_t turns)
{
    reader *reader = state;
    size_t length = strlen(handshake_request);
    for (uint64_t i = 0; i < turns; i++)
        consume((uint64_t)reader_shake_hands(reader, opaque_const(handshake_request), length));
}

void add_handshake_rows(table *table)
{
    static reader reader;
    reader_open(&reader, READER_LOOKS, false);
    if (reader_shake_hands(&reader, handshake_request, strlen(handshake_request)) != 101) {
        fprintf(stderr,
                "bench-micro: the handshake of texts.c is refused; `make test-c` tells whether the core is broken\n");
        exit(2);
    }
    table_add(table, 0, shake_hands, &reader, "handshake of a browser: parse, judge, respond");
}
