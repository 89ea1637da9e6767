/*
 * Measures times for an operator, if the server has a page for metrics (config/measures.h): how long handlers take,
 * WebSockets last and pings travel, and how late timers fire.
 */
#ifndef JAZZY_LIFECYCLE_MEASURING_H
#define JAZZY_LIFECYCLE_MEASURING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* The loop begins. */
void jz_measuring_begin(jz_shard *shard);

/* A timer of the shard that only measures how late it fires. */
void jz_measuring_expired(jz_shard *shard);

/* An open WebSocket begins; its close event is delivered. */
void jz_measuring_opened(jz_shard *shard, const jz_connection *connection);
void jz_measuring_closed(jz_shard *shard, const jz_connection *connection);

/* The server has pinged the peer by itself; the peer has sent a pong. */
void jz_measuring_pinged(jz_shard *shard, const jz_connection *connection);
void jz_measuring_ponged(jz_shard *shard, const jz_connection *connection);

/* Delivers an event as jz_deliver does, and measures how long the handler takes for a message. */
void jz_measuring_deliver(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message);

#endif
