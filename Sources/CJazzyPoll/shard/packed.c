#include "shard/packed.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 1024 };

typedef struct entry {
    struct entry *next;
    jz_publication *content; /* retained; NULL while it is being made, and if it is of no use */
    bool is_made;
    char *version;
    char name[];
} entry;

struct jz_packed {
    pthread_mutex_t lock;
    entry *entries; /* what was used last is first */
    size_t count;
    size_t amount; /* bytes of content */
};

jz_packed *jz_packed_create(void)
{
    jz_packed *packed = calloc(1, sizeof *packed);
    if (packed != NULL)
        pthread_mutex_init(&packed->lock, NULL);
    return packed;
}

/* Removes the entry at this place of the list. */
static void drop(jz_packed *packed, entry **place)
{
    entry *dropped = *place;
    *place = dropped->next;
    packed->count--;
    if (dropped->content != NULL) {
        packed->amount -= jz_publication_length(dropped->content);
        jz_publication_release(dropped->content);
    }
    free(dropped->version);
    free(dropped);
}

void jz_packed_free(jz_packed *packed)
{
    if (packed == NULL)
        return;
    while (packed->entries != NULL)
        drop(packed, &packed->entries);
    pthread_mutex_destroy(&packed->lock);
    free(packed);
}

/* The place of a file's entry in the list; NULL if there is none. */
static entry **place_of(jz_packed *packed, const char *name)
{
    for (entry **place = &packed->entries; *place != NULL; place = &(*place)->next) {
        if (strcmp((*place)->name, name) == 0)
            return place;
    }
    return NULL;
}

/* What was not used for the longest time goes, until there is room; not what is being made. */
static void make_room(jz_packed *packed)
{
    while (packed->amount > JZ_MOST_PACKED || packed->count > MOST_ENTRIES) {
        entry **last = NULL;
        for (entry **place = &packed->entries; *place != NULL; place = &(*place)->next) {
            if ((*place)->is_made)
                last = place;
        }
        if (last == NULL)
            return;
        drop(packed, last);
    }
}

/* An entry that is to be made. Without memory there is none, and whoever comes next makes the content, too. */
static void begin(jz_packed *packed, const char *name, const char *version)
{
    size_t name_size = strlen(name) + 1;
    size_t version_size = strlen(version) + 1;
    entry *begun = malloc(sizeof *begun + name_size);
    char *copy = malloc(version_size);
    if (begun == NULL || copy == NULL) {
        free(begun);
        free(copy);
        return;
    }
    *begun = (entry){.next = packed->entries, .version = memcpy(copy, version, version_size)};
    memcpy(begun->name, name, name_size);
    packed->entries = begun;
    packed->count++;
}

static jz_packed_state look_at(const entry *found, jz_publication **content)
{
    if (!found->is_made)
        return JZ_PACKED_BUSY;
    if (found->content == NULL)
        return JZ_PACKED_USELESS;
    jz_publication_retain(found->content);
    *content = found->content;
    return JZ_PACKED_HERE;
}

jz_packed_state jz_packed_find(jz_packed *packed, const char *name, const char *version, jz_publication **content)
{
    jz_packed_state state = JZ_PACKED_NOT_YET;
    pthread_mutex_lock(&packed->lock);
    entry **place = place_of(packed, name);
    if (place != NULL && strcmp((*place)->version, version) == 0) {
        entry *found = *place;
        *place = found->next;
        found->next = packed->entries;
        packed->entries = found;
        state = look_at(found, content);
    } else if (place != NULL && !(*place)->is_made) {
        state = JZ_PACKED_BUSY; /* with a version that was replaced meanwhile */
    } else {
        if (place != NULL)
            drop(packed, place);
        begin(packed, name, version);
        make_room(packed);
    }
    pthread_mutex_unlock(&packed->lock);
    return state;
}

/* The place of the entry that the calling thread has begun; NULL if there was no memory for it. */
static entry **begun_place(jz_packed *packed, const char *name, const char *version)
{
    entry **place = place_of(packed, name);
    return place != NULL && !(*place)->is_made && strcmp((*place)->version, version) == 0 ? place : NULL;
}

void jz_packed_keep(jz_packed *packed, const char *name, const char *version, jz_publication *content)
{
    pthread_mutex_lock(&packed->lock);
    entry **place = begun_place(packed, name, version);
    if (place != NULL) {
        (*place)->is_made = true;
        (*place)->content = content;
        if (content != NULL) {
            jz_publication_retain(content);
            packed->amount += jz_publication_length(content);
        }
        make_room(packed);
    }
    pthread_mutex_unlock(&packed->lock);
}

void jz_packed_give_up(jz_packed *packed, const char *name, const char *version)
{
    pthread_mutex_lock(&packed->lock);
    entry **place = begun_place(packed, name, version);
    if (place != NULL)
        drop(packed, place);
    pthread_mutex_unlock(&packed->lock);
}
