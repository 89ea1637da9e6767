/* Lists in which each member is found at once, and may leave from the middle. All zero: not in a list. */
#ifndef JAZZY_REDIS_TABLES_LIST_H
#define JAZZY_REDIS_TABLES_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A place in a list: a member of what is listed. */
typedef struct jz_redis_link {
    struct jz_redis_link *previous;
    struct jz_redis_link *next;
} jz_redis_link;

/* The list: `next` of it is its first member, `previous` its last. */
typedef struct jz_redis_list {
    jz_redis_link ends;
    size_t count;
} jz_redis_list;

/* What has the link as its member. */
#define JZ_REDIS_HOLDER_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void jz_redis_list_init(jz_redis_list *list)
{
    *list = (jz_redis_list){.ends = {&list->ends, &list->ends}};
}

static inline bool jz_redis_link_is_listed(const jz_redis_link *link)
{
    return link->next != NULL;
}

static inline void jz_redis_list_append(jz_redis_list *list, jz_redis_link *link)
{
    *link = (jz_redis_link){list->ends.previous, &list->ends};
    list->ends.previous->next = link;
    list->ends.previous = link;
    list->count++;
}

static inline void jz_redis_list_remove(jz_redis_list *list, jz_redis_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    *link = (jz_redis_link){NULL, NULL};
    list->count--;
}

/* NULL: the list is empty. */
static inline jz_redis_link *jz_redis_list_first(const jz_redis_list *list)
{
    return list->count > 0 ? list->ends.next : NULL;
}

#endif
