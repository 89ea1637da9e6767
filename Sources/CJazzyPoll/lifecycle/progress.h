/*
 * Whether a peer takes what is sent to it. Whoever does is neither idle, nor late, nor silent: its answers wait behind
 * megabytes in the kernel, and the socket is writable again only when much of them has gone.
 */
#ifndef JAZZY_LIFECYCLE_PROGRESS_H
#define JAZZY_LIFECYCLE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection/connection.h"
#include "shard/shard.h"

/* Whether output waits for the peer to take it, here or in the kernel. */
bool jz_progress_is_awaited(const jz_shard *shard, const jz_connection *connection);

/*
 * How long a peer for which output waits may take nothing, in milliseconds, where a time-out is that long. A kernel
 * tells in steps what its program has read, the larger the more it can keep: from 64 KiB to 128 KiB on loopback, which
 * a program that reads 20 KB/s takes 7 s for.
 */
uint32_t jz_progress_patience(uint32_t timeout_ms);

/* How far an open WebSocket's peer has come, to be kept in its session's owner_tag: never 0, which is none, nor the
   other. */
uint16_t jz_progress_mark(const jz_shard *shard, const jz_connection *connection);

/* In place of a mark: output had waited for the peer, and it took of it. */
#define JZ_PROGRESS_TAKEN UINT16_MAX

/* Whether it has taken enough since its mark, for so much time. */
bool jz_progress_was_made(const jz_shard *shard, const jz_connection *connection, uint32_t elapsed_ms);

/*
 * The same of a connection that is no open WebSocket, whose mark is its timer's tag, and 0 when a time-out begins. That
 * time-out is over: returns whether the peer is to have another, jz_progress_patience long, because output waits for it
 * and this is the first look, or because it took enough since the last.
 */
bool jz_progress_goes_on(const jz_shard *shard, jz_connection *connection, uint32_t timeout_ms);

#endif
