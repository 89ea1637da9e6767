/* Rows as JSON, one a line, for whoever plays them against a server. */
#ifndef JAZZY_CONFORMANCE_DUMP_H
#define JAZZY_CONFORMANCE_DUMP_H

#include "topic.h"

/*
 * Prints those rows that a client and an echo server alone can play:
 *
 *     {"file": "framing.c", "row": "its name", "offer": text or null, "answer": text or null, "mode": "off", "shared"
 * or "dedicated", "server_window_bits": 15, "server_no_context_takeover": false, "max_message_size": 1048576, "frames":
 * [{"fin": true, "reserved": 0, "opcode": 1, "mask": true or false or hex, "length_bits": null, 16, 64, "claims": null
 * or number, "payload": [hex, repeated to so many bytes]} or {"raw": hex}], "answers": [{"opcode": 1, "is_compressed":
 * false, "payload": [hex, bytes]} or {"close": code or null}]}
 */
void dump_rows(const topic *topic);

#endif
