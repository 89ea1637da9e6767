/* Text and binary messages, for rows that are the same for both. */
#ifndef JAZZY_CONFORMANCE_KINDS_H
#define JAZZY_CONFORMANCE_KINDS_H

#include "topic.h"

typedef struct data_kind {
    const char *name;
    uint8_t opcode;
    jz_message_kind kind;
    const char *pattern; /* of eight bytes */
} data_kind;

static const data_kind data_kinds[] = {
    {"text", JZ_OPCODE_TEXT, JZ_MESSAGE_TEXT, "letters "},
    {"binary", JZ_OPCODE_BINARY, JZ_MESSAGE_BINARY, "\x00\xFF\x80\x7F\xC0\xED\xA0\xFE"},
};

static inline test_bytes bytes_of_kind(const data_kind *kind, size_t length)
{
    return (test_bytes){kind->pattern, 8, length};
}

static inline session_step peer_frame(bool fin, uint8_t opcode, test_bytes payload)
{
    return (session_step)PEER({.fin = fin, .opcode = opcode, .payload = payload});
}

static inline session_event got(jz_message_kind kind, test_bytes bytes)
{
    return (session_event)GOT_OF(kind, bytes);
}

#endif
