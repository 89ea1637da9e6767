/* The rules that the header of a client's frame can break (RFC 6455 §5, RFC 7692 §6). */
#ifndef JAZZY_SESSION_FRAME_RULES_H
#define JAZZY_SESSION_FRAME_RULES_H

#include "codec/frame_header.h"
#include "session/session.h"

/* Checks the header of the next frame against the rules, given what the session has received so far. */
jz_failure jz_judge_frame(const jz_session *session, const jz_frame_header *header);

/* The largest number of bytes that a message of this length can have when it is compressed as a whole. */
size_t jz_max_compressed_length(size_t length);

#endif
