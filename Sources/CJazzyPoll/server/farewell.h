/* What connections are told when their server stops, and when: all at once, or spread over a time. */
#ifndef JAZZY_SERVER_FAREWELL_H
#define JAZZY_SERVER_FAREWELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../codec/frame_header.h"
#include "../codec/text.h"
#include "../loop/timer.h"

typedef struct jz_server jz_server;
typedef struct jz_shard jz_shard;

/* The close frame. Written once, by the first who asks the server to stop. */
typedef struct jz_farewell {
    _Atomic int progress; /* private */
    uint16_t code;
    uint8_t reason_length;
    char reason[JZ_MAX_CLOSE_REASON];
} jz_farewell;

/*
 * Writes it, unless somebody else has, or is about to: then that counts. The code may be sent, the reason is UTF-8, and
 * is cut where it is too long. From any thread, and from signal handlers: it waits for nobody.
 */
void jz_farewell_write(jz_farewell *farewell, uint16_t code, jz_text reason);

/* Whether it is written, and may be read. Until then nobody is told; who writes it wakes the loops afterwards. */
bool jz_farewell_is_written(const jz_farewell *farewell);

/* How far a shard is with telling its connections. */
typedef struct jz_telling {
    jz_timer timer;     /* until the next one is to be told */
    uint64_t began_ms;  /* a time of the timers' clock */
    uint64_t until_ms;  /* by then all are to be told */
    uint32_t count;     /* those that there were when it began */
    uint32_t told;      /* of them */
    uint32_t next_slot; /* those before were told, or have left */
    bool is_over;       /* nobody is left to be told, */
    uint64_t over_ms;   /* since then */
} jz_telling;

/* Ends at once what is no WebSocket, and begins to tell the others. Outside of handlers, as all of these. */
void jz_telling_begin(jz_shard *shard);

/* Tells those whose time has come. */
void jz_telling_go_on(jz_shard *shard);

/* Those who were left may have left, or somebody asked for a shorter time: returns whether he has. In each turn. */
bool jz_telling_follow(jz_shard *shard);

/* Tells all the rest, now. Returns whether there may be any. */
bool jz_telling_finish(jz_shard *shard);

#endif
