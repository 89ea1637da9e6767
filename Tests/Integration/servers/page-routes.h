/* Pages that are made for each request, and the files of a folder. */
#ifndef PROBE_PAGE_ROUTES_H
#define PROBE_PAGE_ROUTES_H

#include <jazzy.h>

/* Registers them all; `folder` is served below /files/, unless it is NULL. Returns JZ_OK, or fills in `error`. */
jz_status page_register_routes(jz_server *server, const char *folder, jz_error *error);

#endif
