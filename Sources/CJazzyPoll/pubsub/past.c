#include "pubsub/past.h"

#include <stdlib.h>
#include <string.h>

jz_past *jz_past_create(jz_text name, uint64_t hash, uint32_t rule, uint64_t epoch)
{
    jz_past *past = name.length < SIZE_MAX - sizeof *past ? malloc(sizeof *past + name.length) : NULL;
    if (past == NULL)
        return NULL;
    *past = (jz_past){.entry = {.hash = hash}, .rule = rule, .epoch = epoch, .name_length = name.length};
    if (name.length > 0)
        memcpy(past->name, name.start, name.length);
    return past;
}

void jz_past_free(jz_past *past)
{
    while (past->ring.count > 0)
        jz_past_forget_oldest(past);
    jz_ring_free(&past->ring);
    free(past->sharing);
    free(past);
}

void jz_past_prepend(jz_past *past, jz_publication *publication, uint32_t tick)
{
    if (past->ring.count > 0 && (int32_t)(tick - jz_past_oldest_tick(past)) > 0)
        tick = jz_past_oldest_tick(past);
    jz_publication_keep(publication);
    if (past->ring.count == 0)
        past->newest_tick = tick;
    jz_ring_add_oldest(&past->ring, publication, tick);
    past->bytes += jz_publication_length(publication);
}

size_t jz_past_forget_oldest(jz_past *past)
{
    jz_publication *oldest = jz_ring_take(&past->ring);
    size_t length = jz_publication_length(oldest);
    past->bytes -= length;
    jz_publication_forget(oldest);
    return length;
}

void jz_past_shrink(jz_past *past)
{
    jz_ring_free(&past->ring);
}

jz_publication *jz_past_at(const jz_past *past, uint64_t offset)
{
    return jz_ring_at(&past->ring, past->ring.count - 1 - (uint32_t)(past->offset - offset));
}

static void take_out(jz_past *past)
{
    if (past->older != NULL)
        past->older->newer = past->newer;
    else
        past->list->oldest = past->newer;
    if (past->newer != NULL)
        past->newer->older = past->older;
    else
        past->list->newest = past->older;
}

void jz_past_move(jz_past *past, jz_past_list *list)
{
    if (list != NULL && past->list == list && past->newer == NULL)
        return;
    if (past->list != NULL)
        take_out(past);
    past->list = list;
    past->newer = past->older = NULL;
    if (list == NULL)
        return;
    past->older = list->newest;
    if (list->newest != NULL)
        list->newest->newer = past;
    else
        list->oldest = past;
    list->newest = past;
}
