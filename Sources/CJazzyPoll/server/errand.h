/* What a thread asks of a loop that is not its own: to send to a connection or to close it. */
#ifndef JAZZY_SERVER_ERRAND_H
#define JAZZY_SERVER_ERRAND_H

#include <stddef.h>
#include <stdint.h>

#include "../loop/mailbox.h"
#include "jazzy/websocket.h"
#include "shard.h"

/* Posts copies to the shard that owns the connection: QUEUED, or DROPPED when there is no memory. */
jz_send_status jz_errand_send(jz_shard *shard, jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                              jz_compression compression);
jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, uint16_t code, const char *reason, size_t length);

/* Does what a letter asks, on the shard's own thread, and frees it. */
void jz_errand_run(jz_shard *shard, jz_letter *letter);

/* Frees letters that were never taken. */
void jz_errand_discard_all(jz_mailbox *mailbox);

#endif
