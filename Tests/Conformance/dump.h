/* Rows as JSON, one per line, for programs that play them against a server. */
#ifndef JAZZY_CONFORMANCE_DUMP_H
#define JAZZY_CONFORMANCE_DUMP_H

#include "topic.h"

/*
 * Prints those rows that a client and an echo server alone can play. Each is an object of
 *
 *     file, row                                  their names
 *     offer, answer                              Sec-WebSocket-Extensions of the request and of the response, or null
 *     mode, max_message_size                     the server's: "off", "shared" or "dedicated"; bytes
 *     server_window_bits, server_no_context_takeover
 *     frames                                     what the client sends: see below
 *     answers                                    what the server sends: {"close": its code or null}, or
 *                                                {"opcode", "is_compressed", "payload"} of a final frame, inflated
 *     fails                                      the client breaks a rule, so the server ends the connection
 *
 * A frame is {"raw": hex}, or has fin, reserved, opcode, mask (a key in hex, or whether there is one), length_bits (16
 * or 64 where they are not the fewest, or null), claims (another length than the payload's, or null) and payload. A
 * payload is [hex, total]: bytes that are repeated and cut to this many.
 */
void dump_rows(const topic *topic);

#endif
