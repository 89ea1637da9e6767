/* The other servers of a company. */
#include <stdlib.h>

#include "loop/count.h"
#include "pubsub/company_parts.h"

enum { OVERHEAD = 16 };

static size_t companion_cost(void)
{
    return sizeof(jz_companion) + OVERHEAD + sizeof(jz_hash_entry *);
}

static uint64_t hash_of(const jz_company *company, const jz_server_id *id)
{
    return jz_hash_table_hash(&company->companions, id->bytes, sizeof id->bytes);
}

jz_companion *jz_companion_find(const jz_company *company, const jz_server_id *id)
{
    uint64_t hash = hash_of(company, id);
    for (jz_hash_entry *entry = jz_hash_table_look(&company->companions, hash); entry != NULL; entry = entry->next) {
        jz_companion *companion = (jz_companion *)(void *)entry;
        if (jz_server_id_equals(&companion->id, id))
            return companion;
    }
    return NULL;
}

/* What a visit of all looks for. The table may not change during it. */
typedef struct search {
    uint64_t now_ms;
    jz_companion *found;
} search;

static void forget(jz_company *company, jz_companion *companion)
{
    while (!jz_circle_is_empty(&companion->standings))
        jz_standing_free(company, jz_standing_of_companion(companion->standings.next));
    if (!companion->is_away)
        jz_uncount(&company->presence->servers, 1);
    jz_hash_table_remove(&company->companions, &companion->entry);
    atomic_fetch_sub_explicit(&company->presence->amount, companion_cost(), memory_order_relaxed);
    free(companion);
}

static void find_away(void *context, jz_hash_entry *entry)
{
    search *search = context;
    jz_companion *companion = (jz_companion *)(void *)entry;
    if (companion->is_away)
        search->found = companion;
}

/* Makes room for another. False: all are there. */
static bool forget_one_away(jz_company *company)
{
    search search = {.found = NULL};
    jz_hash_table_visit(&company->companions, find_away, &search);
    if (search.found != NULL)
        forget(company, search.found);
    return search.found != NULL;
}

static jz_companion *add(jz_company *company, const jz_server_id *id, uint64_t now_ms)
{
    if (company->companions.count >= JZ_COMPANY_MOST && !forget_one_away(company))
        return NULL;
    if (!jz_company_has_room_for(company, companion_cost()))
        return NULL;
    jz_companion *companion = malloc(sizeof *companion);
    if (companion == NULL)
        return NULL;
    *companion = (jz_companion){.entry = {.hash = hash_of(company, id)}, .id = *id, .heard_ms = now_ms};
    jz_circle_init(&companion->standings);
    if (!jz_hash_table_add(&company->companions, &companion->entry)) {
        free(companion);
        return NULL;
    }
    jz_count(&company->presence->servers, 1);
    atomic_fetch_add_explicit(&company->presence->amount, companion_cost(), memory_order_relaxed);
    return companion;
}

jz_companion *jz_companion_reach(jz_company *company, const jz_server_id *id, uint64_t now_ms)
{
    jz_companion *companion = jz_companion_find(company, id);
    if (companion == NULL)
        companion = add(company, id, now_ms);
    if (companion == NULL)
        jz_company_note_not_kept(company);
    return companion;
}

void jz_companion_hear(jz_company *company, jz_companion *companion, uint64_t now_ms)
{
    companion->heard_ms = now_ms;
    if (!companion->is_away)
        return;
    companion->is_away = false;
    jz_count(&company->presence->servers, 1);
    for (jz_circle *place = companion->standings.next; place != &companion->standings; place = place->next)
        jz_standing_ask(company, jz_standing_of_companion(place), now_ms);
}

void jz_companion_leave(jz_company *company, jz_companion *companion, uint64_t now_ms)
{
    if (companion->is_away)
        return;
    companion->is_away = true;
    companion->heard_ms = now_ms;
    jz_uncount(&company->presence->servers, 1);
    for (jz_circle *place = companion->standings.next; place != &companion->standings; place = place->next)
        jz_standing_clear(company, jz_standing_of_companion(place));
}

static bool is_idle(const jz_companion *companion)
{
    return jz_circle_is_empty(&companion->standings);
}

static void find_due(void *context, jz_hash_entry *entry)
{
    search *search = context;
    jz_companion *companion = (jz_companion *)(void *)entry;
    uint64_t silent = search->now_ms - companion->heard_ms;
    if (is_idle(companion) || silent >= (companion->is_away ? JZ_COMPANY_AWAY_MS : JZ_COMPANY_SILENCE_MS))
        search->found = companion;
}

void jz_companions_expire(jz_company *company, uint64_t now_ms)
{
    search search = {.now_ms = now_ms};
    do {
        search.found = NULL;
        jz_hash_table_visit(&company->companions, find_due, &search);
        if (search.found != NULL && (search.found->is_away || is_idle(search.found)))
            forget(company, search.found);
        else if (search.found != NULL)
            jz_companion_leave(company, search.found, now_ms);
    } while (search.found != NULL);
}

static void excuse(void *context, jz_hash_entry *entry)
{
    const search *search = context;
    jz_companion *companion = (jz_companion *)(void *)entry;
    companion->heard_ms = search->now_ms;
}

void jz_companions_excuse(jz_company *company, uint64_t now_ms)
{
    search search = {.now_ms = now_ms};
    jz_hash_table_visit(&company->companions, excuse, &search);
}

static void find_any(void *context, jz_hash_entry *entry)
{
    search *search = context;
    search->found = (jz_companion *)(void *)entry;
}

void jz_companions_free(jz_company *company)
{
    search search = {.found = NULL};
    do {
        search.found = NULL;
        jz_hash_table_visit(&company->companions, find_any, &search);
        if (search.found != NULL)
            forget(company, search.found);
    } while (search.found != NULL);
    jz_hash_table_destroy(&company->companions, NULL);
    jz_hash_table_init(&company->companions);
}
