/* The connections of a route, as an application keeps them: a set under a lock. */
#ifndef PROBE_ROOM_H
#define PROBE_ROOM_H

#include <jazzy.h>

/* Deliberately not recursive: a handler that were called again while it holds the lock would wait for ever. */
typedef struct room room;

typedef void (*room_visitor)(jz_ws ws, const void *argument);

room *room_of_chat(void);
room *room_of_close_everyone(void);

void room_insert(room *room, jz_ws ws);
void room_remove(room *room, jz_ws ws);

/* Calls `visit` for every connection while the lock is held. */
void room_visit(room *room, room_visitor visit, const void *argument);

#endif
