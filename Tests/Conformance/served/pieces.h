/*
 * What the server's reads bring: exactly the pieces that a test wants, wherever the network would cut. The linker leads
 * recv here (Scripts/conformance.mk, --wrap); clients read with another call. What lies behind the received bytes is
 * poisoned until the next read.
 */
#ifndef JAZZY_CONFORMANCE_PIECES_H
#define JAZZY_CONFORMANCE_PIECES_H

#include "cuts.h"

enum { NO_HOLD = -1 };

/* For the next connection, while there is none; `cuts` is borrowed. Nothing is read beyond `hold`. */
void pieces_begin(const cuts *cuts, ptrdiff_t hold);

/* The client has sent what it could: no piece that is not there whole is waited for any more. */
void pieces_all_is_sent(void);

/* Moves the hold. */
void pieces_hold_at(ptrdiff_t hold);

/*
 * For what does not come with recv, of which so many bytes are there: how many the next read brings, at most
 * `capacity`; 0: none for now.
 */
size_t pieces_choose(size_t available, size_t capacity);

/* How often the server wanted to read beyond the hold since it was put where it is. */
size_t pieces_held_reads(void);

/* Gives the last reads' memory back as it was, before the server is destroyed. */
void pieces_end(void);

#endif
