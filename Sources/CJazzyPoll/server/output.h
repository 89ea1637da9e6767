/* The way of output to the socket: the cork, what waits, and one system call for all of it. */
#ifndef JAZZY_SERVER_OUTPUT_H
#define JAZZY_SERVER_OUTPUT_H

#include "connection.h"
#include "publication.h"
#include "shard.h"

/*
 * The buffer to append this connection's output to: the shard's cork while it is being read and nothing waits before,
 * else the connection's own. NULL when there is no memory. Call jz_output_appended when done.
 */
jz_buffer *jz_output_open(jz_shard *shard, jz_connection *connection);

/*
 * Appends a frame of a publication: a reference to it, or a copy where it is small. With NULL, bytes that live as long
 * as the server. False when there is no memory.
 */
bool jz_output_share(jz_shard *shard, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                     size_t length);

/* Accounts for what was appended, and sees to it that it is sent at the end of the turn at the latest. */
void jz_output_appended(jz_shard *shard, jz_connection *connection);

/* Leaves what was appended to the current connection to the end of the turn, instead of flushing it. */
void jz_output_defer(jz_shard *shard, jz_connection *connection);

/* Sends what the socket takes. On failure the connection is marked as broken. Calls no handler. */
void jz_output_flush(jz_shard *shard, jz_connection *connection);

/* Gives back what waits. */
void jz_output_discard(jz_connection *connection);

#endif
