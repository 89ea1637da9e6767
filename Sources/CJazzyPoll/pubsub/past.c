#include "pubsub/past.h"

#include <stdlib.h>
#include <string.h>

/* A ring of which less than one place in SPARSE is used has more places than it needs. */
enum { FIRST_CAPACITY = 4, LARGE = 64, SPARSE = 8 };

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
    while (past->count > 0)
        jz_past_forget_oldest(past);
    free(past->publications);
    free(past);
}

static uint32_t place_of(const jz_past *past, uint32_t number)
{
    uint32_t place = past->first + number;
    return place < past->capacity ? place : place - past->capacity;
}

/* The publications and, behind them, the ticks are one piece of memory. There has to be room for what is kept. */
static bool resize(jz_past *past, uint32_t capacity)
{
    enum { SIZE = sizeof(jz_publication *) + sizeof(uint32_t) };
    jz_publication **publications = malloc((size_t)capacity * SIZE);
    if (publications == NULL)
        return false;
    uint32_t *ticks = (uint32_t *)(void *)(publications + capacity);
    for (uint32_t i = 0; i < past->count; i++) {
        publications[i] = past->publications[place_of(past, i)];
        ticks[i] = past->ticks[place_of(past, i)];
    }
    free(past->publications);
    past->publications = publications;
    past->ticks = ticks;
    past->first = 0;
    past->capacity = capacity;
    return true;
}

bool jz_past_make_room(jz_past *past, uint32_t keep)
{
    if (past->count < past->capacity || past->count >= keep)
        return true;
    uint32_t doubled = past->capacity > 0 ? past->capacity * 2 : FIRST_CAPACITY;
    return resize(past, doubled < keep ? doubled : keep);
}

void jz_past_append(jz_past *past, jz_publication *publication, uint32_t tick)
{
    uint32_t place = place_of(past, past->count);
    if (past->count > 0 && (int32_t)(tick - jz_past_newest_tick(past)) < 0)
        tick = jz_past_newest_tick(past);
    jz_publication_keep(publication);
    past->publications[place] = publication;
    past->ticks[place] = tick;
    past->count++;
    past->offset++;
    past->bytes += jz_publication_length(publication);
}

size_t jz_past_forget_oldest(jz_past *past)
{
    jz_publication *oldest = past->publications[past->first];
    size_t length = jz_publication_length(oldest);
    past->first = place_of(past, 1);
    past->count--;
    past->bytes -= length;
    jz_publication_forget(oldest);
    /* It stays twice as large as it has to be; without memory it stays as it is. */
    if (past->capacity > LARGE && past->count < past->capacity / SPARSE)
        (void)resize(past, past->capacity / SPARSE * 2);
    return length;
}

void jz_past_shrink(jz_past *past)
{
    free(past->publications);
    past->publications = NULL;
    past->ticks = NULL;
    past->first = past->capacity = 0;
}

jz_publication *jz_past_at(const jz_past *past, uint64_t offset)
{
    return past->publications[place_of(past, past->count - 1 - (uint32_t)(past->offset - offset))];
}

uint32_t jz_past_oldest_tick(const jz_past *past)
{
    return past->ticks[past->first];
}

uint32_t jz_past_newest_tick(const jz_past *past)
{
    return past->ticks[place_of(past, past->count - 1)];
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
