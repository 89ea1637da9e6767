#include "transport/properties.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 512, MOST_PROPERTIES = 4096 };

/* Behind this come the entries: two lengths, then the name and the value. */
struct jz_properties {
    size_t length; /* of the entries, in bytes */
    size_t capacity;
    uint8_t entries[];
};

typedef struct entry_head {
    uint32_t name_length;
    uint32_t value_length;
} entry_head;

static_assert(sizeof(entry_head) == 8, "transport authors are told so");

/* Makes room for so many more bytes, in a block that may move. False when there is no memory. */
static bool reserve(jz_properties **properties, size_t additional)
{
    jz_properties *old = *properties;
    size_t length = old != NULL ? old->length : 0;
    size_t capacity = old != NULL ? old->capacity : 0;
    if (additional <= capacity - length)
        return true;
    capacity = capacity * 2 > FIRST_CAPACITY ? capacity * 2 : FIRST_CAPACITY;
    if (capacity < length + additional)
        capacity = length + additional;
    jz_properties *grown = realloc(old, sizeof *grown + capacity);
    if (grown == NULL)
        return false;
    grown->length = length;
    grown->capacity = capacity;
    *properties = grown;
    return true;
}

static void append(jz_properties *properties, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(properties->entries + properties->length, bytes, length);
    properties->length += length;
}

typedef enum added { ADDED, LEFT_OUT, NO_MEMORY } added;

static added add(jz_properties **properties, jz_text name, jz_text value)
{
    size_t used = *properties != NULL ? (*properties)->length : 0;
    size_t room = JZ_MOST_PROPERTY_BYTES - used;
    entry_head head;
    if (room < sizeof head || name.length > room - sizeof head || value.length > room - sizeof head - name.length)
        return LEFT_OUT;
    head.name_length = (uint32_t)name.length;
    head.value_length = (uint32_t)value.length;
    if (!reserve(properties, sizeof head + name.length + value.length))
        return NO_MEMORY;
    append(*properties, &head, sizeof head);
    append(*properties, name.start, name.length);
    append(*properties, value.start, value.length);
    return ADDED;
}

/* All or, if there is no memory, nothing: who misses a property must not take it for one that the peer has not. */
jz_properties *jz_properties_take(const jz_links *links, int link)
{
    if (!jz_link_is_channel(link))
        return NULL;
    const jz_channel *channel = &links->channels[~link];
    const jz_transport *transport = channel->transport;
    jz_properties *properties = NULL;
    const char *name = NULL;
    jz_text value = {0};
    if (transport->property == NULL || channel->channel == NULL || channel->is_lost)
        return NULL;
    for (size_t i = 0; i < MOST_PROPERTIES; i++) {
        if (!transport->property(channel->channel, i, &name, &value.start, &value.length))
            break;
        if (add(&properties, jz_text_of(name), value) == NO_MEMORY) {
            free(properties);
            return NULL;
        }
    }
    return properties;
}

jz_properties *jz_properties_copy(const jz_properties *properties)
{
    if (properties == NULL)
        return NULL;
    jz_properties *copy = malloc(sizeof *copy + properties->length);
    if (copy == NULL)
        return NULL;
    copy->length = copy->capacity = properties->length;
    memcpy(copy->entries, properties->entries, properties->length);
    return copy;
}

/* The entry at this place, and where the next one is. False at the end. */
static bool read(const jz_properties *properties, size_t *place, jz_text *name, jz_text *value)
{
    entry_head head;
    if (properties == NULL || *place == properties->length)
        return false;
    memcpy(&head, properties->entries + *place, sizeof head);
    const char *start = (const char *)properties->entries + *place + sizeof head;
    *name = (jz_text){start, head.name_length};
    *value = (jz_text){start + head.name_length, head.value_length};
    *place += sizeof head + head.name_length + head.value_length;
    return true;
}

bool jz_properties_find(const jz_properties *properties, jz_text name, size_t nth, jz_text *value)
{
    size_t place = 0;
    jz_text found;
    while (read(properties, &place, &found, value)) {
        if (jz_text_equals(found, name) && nth-- == 0)
            return true;
    }
    return false;
}

bool jz_properties_at(const jz_properties *properties, size_t index, jz_text *name, jz_text *value)
{
    size_t place = 0;
    while (read(properties, &place, name, value)) {
        if (index-- == 0)
            return true;
    }
    return false;
}
