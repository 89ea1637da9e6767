/*
 * What servers that a broker joins tell each other of the members of topics, as bytes. Numbers are in network order.
 *
 *     version   1 byte, 1
 *     kind      1 byte
 *     sender    16 bytes, which each run of a server chooses at random
 *
 *     BEAT      it runs
 *     BYE       it ends: its members have left
 *     HELLO     number (8), count (4): its members at this change, so many; and what it asks of all (1)
 *     ASK       server (16) that is to send a snapshot
 *     SNAPSHOT  number (8), piece (4), is_last (1), entries: its members at this change, in pieces, from 0 on
 *     CHANGES   number (8), is_first (1), entries: this change; before one that is first it had no members
 *
 *     here      1, stamp (8), length of the key (2), length of the info (4), key, info
 *     left      0, length of the key (2), key
 *
 * BEAT and BYE go to one topic that all servers have, the others to one for each topic: see jz_hidden_topic_write.
 */
#ifndef JAZZY_PUBSUB_COMPANY_MESSAGE_H
#define JAZZY_PUBSUB_COMPANY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codec/text.h"

/* Which run of which server. */
typedef struct jz_server_id {
    uint8_t bytes[16];
} jz_server_id;

static inline bool jz_server_id_equals(const jz_server_id *a, const jz_server_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* What the names of these topics begin with: no UTF-8 begins so. */
#define JZ_HIDDEN_PREFIX "\xFFjazzy.presence"
enum { JZ_HIDDEN_PREFIX_LENGTH = sizeof JZ_HIDDEN_PREFIX - 1 };

static inline bool jz_topic_is_hidden(jz_text topic)
{
    return topic.length >= JZ_HIDDEN_PREFIX_LENGTH && (uint8_t)topic.start[0] == 0xFF &&
           memcmp(topic.start, JZ_HIDDEN_PREFIX, JZ_HIDDEN_PREFIX_LENGTH) == 0;
}

/* The topic that all servers have is the prefix alone; that of a topic has a colon and its name behind it. */
static inline size_t jz_hidden_topic_length(size_t topic_length)
{
    return JZ_HIDDEN_PREFIX_LENGTH + 1 + topic_length;
}

static inline void jz_hidden_topic_write(char *to, jz_text topic)
{
    memcpy(to, JZ_HIDDEN_PREFIX ":", JZ_HIDDEN_PREFIX_LENGTH + 1);
    if (topic.length > 0)
        memcpy(to + JZ_HIDDEN_PREFIX_LENGTH + 1, topic.start, topic.length);
}

/* Takes off what is not of the topic's own name. False: it is the topic that all servers have, or none of these. */
bool jz_hidden_topic_read(jz_text *hidden);

typedef enum jz_company_kind {
    JZ_COMPANY_BEAT = 1,
    JZ_COMPANY_BYE,
    JZ_COMPANY_HELLO,
    JZ_COMPANY_ASK,
    JZ_COMPANY_SNAPSHOT,
    JZ_COMPANY_CHANGES
} jz_company_kind;

/* What a HELLO asks of all. */
typedef enum jz_company_asks {
    JZ_ASKS_NOTHING,
    JZ_ASKS_HELLO,   /* in return, so that it sees whether it has missed something */
    JZ_ASKS_SNAPSHOT /* because it knows nothing yet */
} jz_company_asks;

typedef struct jz_company_message {
    jz_company_kind kind;
    jz_server_id from;
    jz_server_id asked; /* by ASK */
    uint64_t number;
    uint32_t count; /* of members; or which piece of a snapshot this is */
    jz_company_asks asks;
    bool is_last;  /* piece of a snapshot */
    bool is_first; /* change */
    jz_text entries;
} jz_company_message;

/* False: no server has sent this. If it is true, all entries can be taken. */
bool jz_company_message_read(const void *bytes, size_t length, jz_company_message *message);

/* Whether a message says that this server has sent it, even if it cannot be read. */
bool jz_company_message_is_from(const void *bytes, size_t length, const jz_server_id *server);

typedef struct jz_company_entry {
    bool is_here;
    uint64_t stamp; /* 1 to JZ_LAST_STAMP: of several infos of a member the one with the highest counts */
    jz_text key;
    jz_text info;
} jz_company_entry;

#define JZ_LAST_STAMP (UINT64_MAX / 2)

/* Takes the first entry off. False: there is none, or it is not one. */
bool jz_company_entry_take(jz_text *entries, jz_company_entry *entry);

enum {
    JZ_COMPANY_PIECE = 32 * 1024,    /* bytes of a message, unless a single entry is longer */
    JZ_COMPANY_MOST_INFO = 64 * 1024 /* what jz_options.max_member_info may be */
};

/* A message that is being written. */
typedef struct jz_company_writer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
    size_t empty; /* the length without entries */
} jz_company_writer;

/* What a writer's capacity has to be, so that every message fits. */
size_t jz_company_writer_capacity(size_t max_info);

/* Begins a message; what its kind does not have is not read. */
void jz_company_write(jz_company_writer *writer, const jz_company_message *message);

/* False: the message is full, and goes without this entry. The first one always fits. */
bool jz_company_write_entry(jz_company_writer *writer, const jz_company_entry *entry);

static inline bool jz_company_writer_has_entries(const jz_company_writer *writer)
{
    return writer->length > writer->empty;
}

/* Says now whether the piece of a snapshot that was written is the last one. */
void jz_company_write_is_last(jz_company_writer *writer, bool is_last);

#endif
