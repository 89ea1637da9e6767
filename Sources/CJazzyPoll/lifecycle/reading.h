/* What has been received: taken apart, and handed to whoever it is for. */
#ifndef JAZZY_LIFECYCLE_READING_H
#define JAZZY_LIFECYCLE_READING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Receives once, and does what came. */
void jz_reading_receive(jz_shard *shard, jz_connection *connection);

/* The same before a time-out passes: what came before and was kept goes first. */
void jz_reading_look(jz_shard *shard, jz_connection *connection);

/*
 * Feeds a WebSocket: delivers its events, and finishes the connection when they have ended it. What is left in the
 * input is to be taken later, because the connection has had its share of the turn, or its workers are behind.
 */
void jz_reading_take_frames(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Keeps what is left for later. */
void jz_reading_keep(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Lets those go on that were noted in kept_input before this turn. Outside of handlers only. */
void jz_reading_take_all_kept(jz_shard *shard);

/* Takes what was kept. */
void jz_reading_take_kept(jz_shard *shard, jz_connection *connection);

#endif
