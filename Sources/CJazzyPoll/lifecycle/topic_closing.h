/*
 * Closes all subscribers of a topic on one loop: a limited number in each iteration, so that the loop's other
 * connections do not wait for the system calls that all the close frames take: about 8 µs each.
 *
 * An errand that has more to close than its iteration may waits with what is done later, and is then posted again: the
 * next iteration goes on with it. It goes from the last subscriber to the first. A subscription that ends meanwhile
 * moves the topic's last one, which was closed already, to its place, and a new one is appended: so none that was there
 * at the beginning is missed.
 */
#ifndef JAZZY_LIFECYCLE_TOPIC_CLOSING_H
#define JAZZY_LIFECYCLE_TOPIC_CLOSING_H

#include "shard/errand.h"
#include "shard/shard.h"

/* Closes as many as this iteration may, and takes ownership of the errand. Calls no handler. */
void jz_topic_closing_run(jz_shard *shard, jz_errand *errand);

/* The same for an errand that was left to be run later. */
void jz_topic_closing_run_later(jz_shard *shard, jz_errand *errand);

/* Closes all that is left of what was begun, because it comes before what happens next. */
void jz_topic_closing_finish(jz_shard *shard);

#endif
