/* Receives, and passes the input to the code of the connection's phase. */
#ifndef JAZZY_LIFECYCLE_READING_H
#define JAZZY_LIFECYCLE_READING_H

#include "connection/connection.h"
#include "http/handshake.h"
#include "shard/shard.h"

/* Receives once, and handles the input. */
void jz_reading_receive(jz_shard *shard, jz_connection *connection);

/* The same, before a time-out takes effect; kept input is handled first. */
void jz_reading_look(jz_shard *shard, jz_connection *connection);

/*
 * Passes input to a WebSocket's session: delivers its events, and finishes the connection when the session has ended.
 * Input that is left must be kept for later, because the connection has used up its share of the iteration, or its
 * workers are behind.
 */
void jz_reading_take_frames(jz_shard *shard, jz_connection *connection, jz_input *input);

/* A handshake that was answered later is accepted: begins the WebSocket, with what the client has sent behind it. */
void jz_reading_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted,
                                jz_input input);

/* Continues the connections that were noted in kept_input before this iteration. Outside of handlers only. */
void jz_reading_take_all_kept(jz_shard *shard);

/* Handles a connection's kept input. */
void jz_reading_take_kept(jz_shard *shard, jz_connection *connection);

#endif
