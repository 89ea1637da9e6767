/* Runs a script with one of several splittings, and checks what must hold for every session. */
#ifndef JAZZY_FUZZ_SESSION_RUN_H
#define JAZZY_FUZZ_SESSION_RUN_H

#include "session_script.h"

typedef enum script_splitting { SPLIT_NOWHERE, SPLIT_IN_PARTS, SPLIT_EVERYWHERE } script_splitting;

/* What became of a session. */
typedef struct session_record {
    jz_buffer events; /* a transcript */
    jz_buffer output; /* the bytes that are to be sent */
    jz_buffer sent;   /* a transcript: pongs for the delivered pings, and what the server itself sent */
    bool closed_itself;
    uint16_t own_close_code; /* where it closed itself */
    bool has_failed;         /* it yielded an error that it found itself */
    bool was_clean;
    uint16_t close_code; /* of the close event */
} session_record;

session_record session_run(const session_script *script, script_splitting splitting);

void session_record_free(session_record *record);

/*
 * Runs a script with every splitting. Requires that all have the same result, that the events begin with
 * `expected_events` (a transcript; NULL: unknown), and that a client understands the output.
 */
void session_check(const session_script *script, const jz_buffer *expected_events);

#endif
