/* Who may read the pages for operators. */
#ifndef JAZZY_AUDIENCE_H
#define JAZZY_AUDIENCE_H

#include <stdbool.h>

#include "compiler.h"
#include "request.h"

JZ_BEGIN_DECLARATIONS

/*
 * Decides whether a client may read the page. Called for each request for it, on the thread of the client's loop: it
 * must not block. `request` is borrowed until it returns; its address is the client's, also behind a trusted proxy.
 */
typedef bool (*jz_admits)(void *context, const jz_request *request);

/* All zero: those of whom jz_request_is_from_loopback is true. The context has to live until the server is destroyed.
 */
typedef struct jz_audience {
    jz_admits admits; /* NULL, the default: jz_request_is_from_loopback */
    void *context;
} jz_audience;

/*
 * Whether a request comes from a program on this machine, which asked for this machine: the client has a loopback
 * address (127.0.0.0/8, ::1), Host is "localhost", a name that ends with ".localhost", or such an address, and there is
 * no header that proxies add (Via, all with "Forwarded" in their names, all that end with "-IP", and a few more). Who
 * comes with a PROXY header, or with that of jz_options.client_address_header, is on no machine that is known, and so
 * is a WebSocket's jz_ws_request wherever these may be the source of addresses. Without the rule for Host, any page in
 * a browser on this machine could read what is here, by a name that leads to 127.0.0.1.
 *
 * A proxy on this machine that adds no header, and that passes on no name of its client's, looks like a client on this
 * machine: then write a function of your own, or keep the page from the outside in the proxy. A client of a Unix domain
 * socket, behind which there is most often a proxy, is not from loopback.
 */
JZ_PUBLIC bool jz_request_is_from_loopback(const jz_request *request);

JZ_END_DECLARATIONS

#endif
