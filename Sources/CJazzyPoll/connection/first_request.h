/* The request that a connection began with, for the handler of its open event; parsed again if that asks for it. */
#ifndef JAZZY_CONNECTION_FIRST_REQUEST_H
#define JAZZY_CONNECTION_FIRST_REQUEST_H

#include <stdlib.h>

#include "codec/text.h"
#include "config/routes.h"
#include "jazzy/event.h"
#include "jazzy/request.h"
#include "transport/properties.h"

/* The arguments of a handler for an open event. */
static const jz_event jz_open_event = {.type = JZ_EVENT_OPEN, .close_reason = ""};
static const jz_message jz_no_message = {.kind = JZ_MESSAGE_TEXT, .bytes = (const uint8_t *)""};

typedef struct jz_first_request {
    jz_ws ws;
    const jz_route *route;
    jz_text head; /* as it came, borrowed until the handler returns; empty if there was no memory to keep it */
    bool is_secure;
    bool has_asked; /* the channel of `link` for properties; on a worker true from the beginning */
    int link;
    jz_properties *properties; /* what it said; owned */
    jz_request *request;       /* NULL until the handler asks; one block, to be freed after the handler has returned */
} jz_first_request;

/* Frees what the handler has asked for. */
static inline void jz_first_request_free(jz_first_request *first)
{
    free(first->request);
    free(first->properties);
}

#endif
