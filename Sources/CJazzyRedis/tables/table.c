#include "tables/table.h"

#include <stdlib.h>
#include <string.h>

#include "tables/random.h"
#include "tables/siphash.h"

enum { FIRST_BUCKETS = 16 };

void jz_redis_table_init(jz_redis_table *table)
{
    *table = (jz_redis_table){.key = {jz_redis_random(), jz_redis_random()}};
}

void jz_redis_table_destroy(jz_redis_table *table, void (*discard)(jz_redis_entry *entry))
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (jz_redis_entry *entry = table->buckets[i]; entry != NULL;) {
            jz_redis_entry *next = entry->next;
            discard(entry);
            entry = next;
        }
    }
    free(table->buckets);
    *table = (jz_redis_table){0};
}

uint64_t jz_redis_table_hash(const jz_redis_table *table, const char *name, size_t length)
{
    return jz_redis_siphash(table->key, name, length);
}

static jz_redis_entry **bucket_of(const jz_redis_table *table, uint64_t hash)
{
    size_t number = (size_t)hash & table->mask;
    if (number >= table->bucket_count)
        number &= table->mask >> 1; /* that bucket was not split off yet */
    return &table->buckets[number];
}

jz_redis_entry *jz_redis_table_find(const jz_redis_table *table, uint64_t hash, const char *name, size_t length)
{
    jz_redis_entry *entry = table->bucket_count > 0 ? *bucket_of(table, hash) : NULL;
    while (entry != NULL && (entry->hash != hash || !jz_redis_entry_is(entry, name, length)))
        entry = entry->next;
    return entry;
}

/* Only pointers to buckets move, and large blocks are remapped, not copied. */
static bool set_capacity(jz_redis_table *table, size_t capacity)
{
    if (capacity > SIZE_MAX / sizeof(jz_redis_entry *))
        return false;
    jz_redis_entry **buckets = realloc(table->buckets, capacity * sizeof *buckets);
    if (buckets == NULL)
        return false;
    table->buckets = buckets;
    table->capacity = capacity;
    return true;
}

static bool begin(jz_redis_table *table)
{
    if (table->capacity == 0 && !set_capacity(table, FIRST_BUCKETS))
        return false;
    for (size_t i = 0; i < FIRST_BUCKETS; i++)
        table->buckets[i] = NULL;
    table->bucket_count = FIRST_BUCKETS;
    table->mask = FIRST_BUCKETS - 1;
    return true;
}

/* Splits the next bucket. If there is no memory, buckets become longer, and look-ups slower. */
static void split(jz_redis_table *table)
{
    size_t number = table->bucket_count;
    if (number == table->capacity && (number > SIZE_MAX / 2 || !set_capacity(table, number * 2)))
        return;
    if (number > table->mask)
        table->mask = table->mask * 2 + 1;
    jz_redis_entry **from = &table->buckets[number & table->mask >> 1];
    jz_redis_entry **to = &table->buckets[number];
    *to = NULL;
    while (*from != NULL) {
        jz_redis_entry *entry = *from;
        if (((size_t)entry->hash & table->mask) != number) {
            from = &entry->next;
            continue;
        }
        *from = entry->next;
        entry->next = *to;
        *to = entry;
    }
    table->bucket_count++;
}

/* Merges the last bucket into the one that it was split from. */
static void unite(jz_redis_table *table)
{
    size_t number = table->bucket_count - 1;
    jz_redis_entry **end = &table->buckets[number & table->mask >> 1];
    while (*end != NULL)
        end = &(*end)->next;
    *end = table->buckets[number];
    table->bucket_count = number;
    if (number == (table->mask >> 1) + 1)
        table->mask >>= 1;
    if (table->capacity > FIRST_BUCKETS && number <= table->capacity / 4)
        (void)set_capacity(table, table->capacity / 2); /* if that fails, it keeps its size */
}

bool jz_redis_table_add(jz_redis_table *table, jz_redis_entry *entry)
{
    if (table->bucket_count == 0 && !begin(table))
        return false;
    if (table->count >= table->bucket_count)
        split(table);
    jz_redis_entry **bucket = bucket_of(table, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    table->count++;
    return true;
}

void jz_redis_table_remove(jz_redis_table *table, jz_redis_entry *entry)
{
    jz_redis_entry **link = bucket_of(table, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    table->count--;
    /* At least half as many entries as buckets: up to two merges for a removal, so that the table shrinks fast enough.
     */
    for (int i = 0; i < 2 && table->bucket_count > FIRST_BUCKETS && table->count < table->bucket_count / 2; i++)
        unite(table);
}

void jz_redis_table_visit(const jz_redis_table *table, void (*visit)(void *context, jz_redis_entry *entry),
                          void *context)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (jz_redis_entry *entry = table->buckets[i]; entry != NULL; entry = entry->next)
            visit(context, entry);
    }
}
