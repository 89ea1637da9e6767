/*
 * What a channel knows of its peer and of itself (`property` in jazzy/transport.h), copied: requests are looked at by
 * other threads, too, and after the channel was closed.
 */
#ifndef JAZZY_TRANSPORT_PROPERTIES_H
#define JAZZY_TRANSPORT_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"
#include "transport/links.h"

/* One block, to be freed with `free`. NULL stands for none. */
typedef struct jz_properties jz_properties;

/* What the link's channel says now. NULL: it says nothing, there is no channel, or there is no memory. */
jz_properties *jz_properties_take(const jz_links *links, int link);

/* NULL also when there is no memory. */
jz_properties *jz_properties_copy(const jz_properties *properties);

/* The `nth` of that name, counted from 0. False: there are not so many. */
bool jz_properties_find(const jz_properties *properties, jz_text name, size_t nth, jz_text *value);

/* The one of this number, of all. */
bool jz_properties_at(const jz_properties *properties, size_t index, jz_text *name, jz_text *value);

#endif
