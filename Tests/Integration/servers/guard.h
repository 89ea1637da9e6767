/* The library promises never to call a handler from within a handler: a violation aborts the process. */
#ifndef PROBE_GUARD_H
#define PROBE_GUARD_H

/* To be called first and last in a handler of the route `path`. */
void guard_enter(const char *path);
void guard_leave(void);

#endif
