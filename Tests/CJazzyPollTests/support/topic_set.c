#include "topic_set.h"

#include <stdlib.h>
#include <string.h>

typedef struct element {
    jz_hash_entry entry; /* first */
    size_t length;
    char name[];
} element;

void topic_set_init(topic_set *set)
{
    jz_hash_table_init(&set->table);
}

static void discard(jz_hash_entry *entry)
{
    free(entry);
}

void topic_set_clear(topic_set *set)
{
    jz_hash_table_destroy(&set->table, discard);
    topic_set_init(set);
}

static element *find(const topic_set *set, const char *topic, size_t length)
{
    uint64_t hash = jz_hash_table_hash(&set->table, topic, length);
    for (jz_hash_entry *entry = jz_hash_table_look(&set->table, hash); entry != NULL; entry = entry->next) {
        element *found = (element *)entry;
        if (found->length == length && (length == 0 || memcmp(found->name, topic, length) == 0))
            return found;
    }
    return NULL;
}

bool topic_set_add(topic_set *set, const char *topic, size_t length)
{
    if (find(set, topic, length) != NULL)
        return false;
    element *added = malloc(sizeof *added + length);
    if (added == NULL)
        abort();
    added->entry.hash = jz_hash_table_hash(&set->table, topic, length);
    added->length = length;
    if (length > 0)
        memcpy(added->name, topic, length);
    if (!jz_hash_table_add(&set->table, &added->entry))
        abort();
    return true;
}

bool topic_set_remove(topic_set *set, const char *topic, size_t length)
{
    element *found = find(set, topic, length);
    if (found == NULL)
        return false;
    jz_hash_table_remove(&set->table, &found->entry);
    free(found);
    return true;
}

bool topic_set_has(const topic_set *set, const char *topic, size_t length)
{
    return find(set, topic, length) != NULL;
}
