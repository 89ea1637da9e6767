/*
 * A message to many receivers: framed once, compressed once for each set of parameters, and shared by all receivers, on
 * every loop, until it was sent to the last of them.
 */
#ifndef JAZZY_OUTPUT_PUBLICATION_H
#define JAZZY_OUTPUT_PUBLICATION_H

#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "session/session.h"
#include "jazzy/websocket.h"

typedef struct jz_publication jz_publication;

/* Copies a text or binary message. Returns one reference; NULL when there is no memory. */
jz_publication *jz_publication_create(jz_message_kind kind, const void *bytes, size_t length,
                                      jz_compression compression);

/* The same, with room for a payload that the caller writes before anybody else has it. */
jz_publication *jz_publication_create_empty(jz_message_kind kind, size_t length, jz_compression compression,
                                            uint8_t **payload);

void jz_publication_retain(jz_publication *publication);
void jz_publication_release(jz_publication *publication);

/*
 * Retains it for a history, once, before anybody else has it, and releases it again: what it was compressed to is freed
 * when only the history has it.
 */
void jz_publication_keep(jz_publication *publication);
void jz_publication_forget(jz_publication *publication);

/* Its kind, and the length of its uncompressed payload in bytes. */
jz_message_kind jz_publication_kind(const jz_publication *publication);
size_t jz_publication_length(const jz_publication *publication);

/* The uncompressed payload. The publication owns it. */
const uint8_t *jz_publication_payload(const jz_publication *publication, size_t *length);

/* The uncompressed frame. The publication owns it. */
const uint8_t *jz_publication_plain_frame(const jz_publication *publication, size_t *length);

/*
 * The frame to send to a session's peer; uncompressed if there is no memory to compress. The publication owns it. From
 * any loop.
 */
const uint8_t *jz_publication_frame_for(jz_publication *publication, jz_session *session, size_t *length);

/*
 * The message in an envelope (output/envelope.h), for those who tell topics apart by it: made once, for all loops and
 * subscribers, and freed as compressed forms are. The caller releases it; NULL when there is no memory. A publication
 * has one topic, and one offset but for those who begin where nobody can say where the topic is. From any loop.
 */
jz_publication *jz_publication_enveloped(jz_publication *publication, jz_text topic, uint64_t offset);

#endif
