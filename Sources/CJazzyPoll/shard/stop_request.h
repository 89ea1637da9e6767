/*
 * Asking a server to stop or to drain, from any thread; and what has come of it. How loops follow is ending.h of the
 * lifecycle.
 */
#ifndef JAZZY_SHARD_STOP_REQUEST_H
#define JAZZY_SHARD_STOP_REQUEST_H

#include "jazzy/server.h"

/* Makes every loop look at what is asked of the server. */
void jz_server_wake_all(jz_server *server);

/* A shard listens no more. When it is the last, all are woken, for some may wait for what it could have handed over. */
void jz_server_listens_less(jz_server *server);

/* Whether the server stops, and all its connections have been told so, or are as soon as their loops can. */
bool jz_server_has_told_all(const jz_server *server);

/* Whether the server drains and nobody is left, nor can anybody come. It stays so. From any thread. */
bool jz_server_has_drained(const jz_server *server);

/* One that the admission has let in has gone: the last wakes who waits for that. From any thread. */
void jz_server_leave(jz_server *server, bool is_handshake);

#endif
