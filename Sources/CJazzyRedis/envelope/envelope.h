/*
 * envelope/: what a message says of itself between processes, and what is known of missing ones on both sides. Not
 * here: connections, queues, which topics are subscribed.
 *
 * A message on a channel of Redis begins with this header, and its payload follows. Its first byte begins no text in
 * UTF-8, so that a message of others is never taken for one of ours. Numbers are big-endian.
 *
 *     0    magic       0xFF 'J'
 *     2    version     1
 *     3    kind        jz_redis_kind in the lower four bits; JZ_REDIS_ANEW; JZ_REDIS_PUBLISHED_BY
 *     4    origin      8 bytes: of the process's broker, random, another one with each start
 *     12   sequence    8 bytes: counts the messages of this origin to this topic
 *     20   publisher   8 bytes, with JZ_REDIS_PUBLISHED_BY: the connection, which is excluded by its own server
 *     ..   epoch       8 bytes, of a message that Redis keeps, which writes both: its position in the topic's history
 *     ..   offset      8 bytes
 *
 * How a loss is told (heard.h, published.h)
 *   - Each message takes the next number of its topic, also if it is dropped. A receiver that hears number 7 after 5
 *     has missed one.
 *   - A publisher whose message was dropped or refused, or who cannot know who got it (its connection was lost), sends
 *     an announcement to the topic as soon as it can, and again until it is accepted: the last number it gave, and the
 *     first one that may be lost. So a loss is told also to those who never heard of this publisher before, and if no
 *     message ever follows.
 *   - A publisher keeps the numbers of a bounded number of topics. Where it has forgotten one of which everything
 *     arrived, the next message begins ANEW, with a number higher than any that the topic can have had. If it had to
 *     forget one with something to announce, it announces that to everybody: JZ_REDIS_LOST_ANY.
 */
#ifndef JAZZY_REDIS_ENVELOPE_ENVELOPE_H
#define JAZZY_REDIS_ENVELOPE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum jz_redis_kind {
    JZ_REDIS_TEXT = 1,
    JZ_REDIS_BINARY = 2,
    JZ_REDIS_ANNOUNCEMENT = 3, /* `sequence` is the last number given; the payload is the first that may be lost */
    JZ_REDIS_LOST_ANY = 4,    /* messages to any topic may be lost, published at least `sequence` ms ago; on the channel
                                 of all processes */
    JZ_REDIS_PROBE = 5,       /* on a process's own channel; `sequence` is the sender's */
    JZ_REDIS_KEPT_TEXT = 6,   /* messages that Redis keeps, and has given a position */
    JZ_REDIS_KEPT_BINARY = 7, /* the scripts know this number, too */
    JZ_REDIS_MARKER = 8       /* on a process's own channel: behind all that was published before a fetch; `sequence` is
                                 the sender's */
} jz_redis_kind;

enum {
    JZ_REDIS_ENVELOPE_MOST = 28,         /* bytes of a header that is written here */
    JZ_REDIS_ANNOUNCEMENT_SIZE = 20 + 8, /* bytes of a whole announcement */
    JZ_REDIS_ANEW = 0x10,
    JZ_REDIS_PUBLISHED_BY = 0x20
};

typedef struct jz_redis_envelope {
    jz_redis_kind kind;
    bool is_anew;       /* the origin has lost no message to this topic before this one */
    uint64_t origin;    /* not 0 */
    uint64_t sequence;  /* from 1; any for LOST_ANY and PROBE */
    uint64_t lost_from; /* ANNOUNCEMENT: the first number that may be lost; 0: any */
    uint64_t publisher; /* the value of a jz_ws; 0: none, the server published it */
    uint64_t epoch;     /* of what Redis keeps, else 0 */
    uint64_t offset;    /* from 1 */
} jz_redis_envelope;

/* Writes the header, without the position, or the whole announcement, at most JZ_REDIS_ENVELOPE_MOST bytes. Returns
   their number. */
size_t jz_redis_envelope_write(const jz_redis_envelope *envelope, uint8_t *bytes);

typedef enum jz_redis_reading {
    JZ_REDIS_READ,      /* the envelope is filled in; the payload of a text is UTF-8 */
    JZ_REDIS_FOREIGN,   /* published by something else: all of it is a text in UTF-8 */
    JZ_REDIS_UNREADABLE /* neither: another version, cut, or no UTF-8 */
} jz_redis_reading;

/* Reads a message of a channel. `header_length` is set: where the payload begins; 0 unless READ. */
jz_redis_reading jz_redis_envelope_read(const uint8_t *bytes, size_t length, jz_redis_envelope *envelope,
                                        size_t *header_length);

static inline bool jz_redis_is_kept(const jz_redis_envelope *envelope)
{
    return envelope->kind == JZ_REDIS_KEPT_TEXT || envelope->kind == JZ_REDIS_KEPT_BINARY;
}

/* A number for a new broker's origin, from the system's randomness; never 0. */
uint64_t jz_redis_new_origin(void);

#endif
