/*
 * Makes the server's reads return exactly the pieces that a test wants, regardless of the network. The linker redirects
 * recv to this (Scripts/conformance.mk, --wrap); clients read with another call. The memory behind the received bytes
 * is poisoned until the next read.
 */
#ifndef JAZZY_CONFORMANCE_PIECES_H
#define JAZZY_CONFORMANCE_PIECES_H

#include "cuts.h"

enum { NO_HOLD = -1 };

/* For the next connection, while there is none; `cuts` is borrowed. Nothing is read beyond `hold`. */
void pieces_begin(const cuts *cuts, ptrdiff_t hold);

/* The client has sent all that it could: incomplete pieces are no longer waited for. */
void pieces_all_is_sent(void);

/* Moves the hold. */
void pieces_hold_at(ptrdiff_t hold);

/*
 * The same without recv, if that many bytes are available: how many the next read returns, at most `capacity`; 0: none
 * for now.
 */
size_t pieces_choose(size_t available, size_t capacity);

/*
 * For a transport that does not know how much there is: how much of it the next read may return, at most `capacity`; 0:
 * none for now. What it then has read is noted. recv is left alone from pieces_leave_recv on.
 */
size_t pieces_want(size_t capacity);
void pieces_note(size_t count);
void pieces_leave_recv(void);

/* How often the server wanted to read beyond the hold since it was put where it is. */
size_t pieces_held_reads(void);

/* Gives the last reads' memory back as it was, before the server is destroyed. */
void pieces_end(void);

#endif
