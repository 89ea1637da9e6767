/* What is measured: iterations of a scenario, each of which handles the same number of messages. */
#ifndef BENCH_INSTRUCTIONS_SCENARIO_H
#define BENCH_INSTRUCTIONS_SCENARIO_H

#include <stddef.h>

#include "codec/frame_header.h"
#include "codec/text.h"
#include "../common/texts.h"

typedef struct scenario scenario;

struct scenario {
    const char *name;
    void (*prepare)(const scenario *scenario);
    void (*turn)(void);
    size_t messages; /* of one turn */
    size_t length;   /* of a message's payload; not of a handshake */
    uint8_t opcode;
    text_kind text;
};

extern const scenario scenarios[];
extern const size_t scenario_count;

#endif
