/*
 * Whether a peer takes its output. A peer that does is neither idle nor late, even if nothing is heard of it: its
 * answers may have to wait behind megabytes in the kernel, and the socket becomes writable again only when much of that
 * has been sent.
 */
#ifndef JAZZY_LIFECYCLE_PROGRESS_H
#define JAZZY_LIFECYCLE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection/connection.h"
#include "shard/shard.h"

/* Whether output waits for the peer, here or in the kernel. */
bool jz_progress_is_awaited(const jz_shard *shard, const jz_connection *connection);

/*
 * How long a peer for which output waits may take nothing, in milliseconds, given the time-out. The peer's kernel
 * reports in steps what its program has read; the larger its buffer, the larger the steps: 64 KiB to 128 KiB on
 * loopback, for which a program that reads 20 KB/s needs 7 s.
 */
uint32_t jz_progress_patience(uint32_t timeout_ms);

/*
 * How much an open WebSocket's peer has taken so far, to be stored in its session's owner_tag: never 0 (no mark) or
 * JZ_PROGRESS_TAKEN.
 */
uint16_t jz_progress_mark(const jz_shard *shard, const jz_connection *connection);

/* Instead of a mark: output had waited for the peer, and it took some of it. */
#define JZ_PROGRESS_TAKEN UINT16_MAX

/* Whether the peer has taken enough since its mark, for the elapsed time. */
bool jz_progress_was_made(const jz_shard *shard, const jz_connection *connection, uint32_t elapsed_ms);

/*
 * The same for a connection that is no open WebSocket: its mark is its timer's tag, which is 0 when a time-out begins.
 * The time-out is over: returns whether the peer gets another, of jz_progress_patience, because output waits for it and
 * this is the first check, or because it took enough since the last check.
 */
bool jz_progress_goes_on(const jz_shard *shard, jz_connection *connection, uint32_t timeout_ms);

#endif
