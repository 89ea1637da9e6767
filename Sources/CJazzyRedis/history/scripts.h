/*
 * history/: how what is published to a topic is kept in Redis: the scripts that do it, what they answer, and who waits
 * for an answer. Not here: connections, queues, the server.
 *
 * Two keys belong to a topic with history; <prefix> is that of the channels:
 *   - <prefix>position:<topic>, a hash. "e": the epoch, 8 bytes; "o": the offset of the newest message; "l": which
 *     Redis gave them, its master_replid; "b": bytes in the stream, roughly; and for each origin (its 8 bytes) its
 *     last sequence, and when that came, by which what is sent again after a lost connection is not kept twice.
 *   - <prefix>history:<topic>, a stream. The ID of an entry is its offset, and when it came (ms); its one field is
 *     "t" or "b" (text, binary), with the payload.
 *
 * Both expire. What is published and what is fetched is one script each, which Redis runs as a whole: so a message has
 * its offset, is kept, and is on its way to the subscribers, or none of it.
 *
 * A position must never mean two messages. Data may go back: a restart from an old dump, a failover to a replica that
 * has not got everything. But Redis has a master_replid, which is another one after each start and each promotion. What
 * another one has left behind is not gone on with: the topic gets a new epoch, and nobody continues from before. So it
 * gets one where either key is missing or was written to by others.
 */
#ifndef JAZZY_REDIS_HISTORY_SCRIPTS_H
#define JAZZY_REDIS_HISTORY_SCRIPTS_H

#include <stddef.h>
#include <stdint.h>

/* Keeps and publishes; called by its SHA-1, so that it is loaded first. Keys: position, history. Arguments: the
   channel, the envelope's header, the payload, an epoch to begin with if that is needed, how many messages, for how
   many ms, how many bytes, and the sequence before this one, of 20 digits. Answers a number. */
extern const char jz_redis_keep_script[];
extern const char jz_redis_keep_script_sha1[];

/* Fetches what is kept, and publishes a marker to this process alone. Keys and arguments are the same, with the marker
   in place of the header, and no payload; the last one is missing. Answers what kept_reply.h reads. */
extern const char jz_redis_fetch_script[];

/* The error of the first one where the sequence before this one has not come: it is to be sent again behind that. */
#define JZ_REDIS_OUT_OF_TURN "OUTOFTURN"

enum {
    JZ_REDIS_KEEP_MOST = 10000,                 /* messages of a topic that Redis keeps, whatever is asked for */
    JZ_REDIS_KEEP_MOST_BYTES = 8 * 1024 * 1024, /* of their payload */
    JZ_REDIS_EPOCH_SIZE = 8
};

/* Numbers that never come twice, for epochs: `state` begins with a random one. Never 0. */
uint64_t jz_redis_next_epoch(uint64_t *state);

#endif
