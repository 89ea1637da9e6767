/* What a thread asks of a loop that is not its own: to send to a connection or to close it. */
#ifndef JAZZY_SERVER_ERRAND_H
#define JAZZY_SERVER_ERRAND_H

#include <stddef.h>
#include <stdint.h>

#include "../loop/mailbox.h"
#include "answer.h"
#include "jazzy/websocket.h"
#include "publication.h"
#include "shard.h"

enum { JZ_LETTER_COST = 128 }; /* about what a letter costs beside what it carries, in bytes */

/* Post copies to the shard that owns the connection: QUEUED, or DROPPED when its mailbox is full, or there is no
 * memory, or CLOSED when its loop has ended.
 */
jz_send_status jz_errand_send(jz_shard *shard, jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                              jz_compression compression);
jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, uint16_t code, const char *reason, size_t length);
jz_send_status jz_errand_terminate(jz_shard *shard, jz_ws ws);

jz_send_status jz_errand_subscribe(jz_shard *shard, jz_ws ws, jz_text topic);
jz_send_status jz_errand_unsubscribe(jz_shard *shard, jz_ws ws, jz_text topic);

/* Whether more may be in the shard's mailbox than is. From any thread. */
bool jz_errand_may_wait(const jz_shard *shard);

/*
 * Takes `amount` bytes of what may be in the shard's mailbox, until they are given back or an errand that has them was
 * run. False when the limit is reached, but not on the shard's own thread. From any thread.
 */
bool jz_errand_reserve(jz_shard *shard, size_t amount);
void jz_errand_unreserve(jz_shard *shard, size_t amount);

/*
 * `sender` is who is not to receive it; zero is nobody. Retains the publication, and has what was `reserved` for it,
 * until it is done.
 */
jz_send_status jz_errand_publish(jz_shard *shard, jz_ws sender, jz_text topic, jz_publication *publication,
                                 size_t reserved);

jz_send_status jz_errand_pause(jz_shard *shard, jz_ws ws, bool is_paused);

/* Takes the answer over where it is QUEUED. */
jz_send_status jz_errand_answer(jz_shard *shard, jz_ws ws, jz_answer *answer);

/*
 * What tells a loop that a worker has caught up, and that the connection is to be read from again: made when reading
 * pauses, so that it goes on without memory, too. NULL when there is none.
 */
jz_letter *jz_errand_create_resume(jz_ws ws);

/* Likewise what tells a loop that a worker has run the close event of a connection: made before there is one. */
jz_letter *jz_errand_create_leave(jz_ws ws);

/* Takes either of them over. */
void jz_errand_post_made(jz_letter *made);

/* Frees one of them that is not posted. NULL does nothing. */
void jz_errand_free_made(jz_letter *made);

/* Gives a socket that was let in to another shard, where it is QUEUED; else it is the caller's still. */
jz_send_status jz_errand_hand_over(jz_shard *shard, const jz_arrival *arrival);

/*
 * Does what a letter asks, on the shard's own thread, and frees it. A handler may be running, which asks for something
 * itself: what may call the application (the log, the release of a state) is left for jz_errand_run_later.
 */
void jz_errand_run(jz_shard *shard, jz_letter *letter);
void jz_errand_run_later(jz_shard *shard, jz_letter *letter);

/* Frees a letter of this shard that was not run, and whatever it brings: its socket is closed. */
void jz_errand_discard(jz_shard *shard, jz_letter *letter);

/* The shard's loop has ended: nothing is posted to it from here on, and what waits is discarded. */
void jz_errand_discard_all(jz_shard *shard);

#endif
