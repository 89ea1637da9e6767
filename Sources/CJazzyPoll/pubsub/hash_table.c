#include "pubsub/hash_table.h"

#include <stdlib.h>

#include "platform/random.h"

enum { FIRST_BUCKETS = 16, FIRST_SEGMENTS = 4 };

void jz_hash_table_init(jz_hash_table *table)
{
    *table = (jz_hash_table){.key = {{jz_random(), jz_random()}}};
}

static jz_hash_entry **bucket_at(const jz_hash_table *table, size_t number)
{
    return &table->segments[number / JZ_BUCKETS_PER_SEGMENT][number % JZ_BUCKETS_PER_SEGMENT];
}

static size_t segment_count(const jz_hash_table *table)
{
    return (table->bucket_count + JZ_BUCKETS_PER_SEGMENT - 1) / JZ_BUCKETS_PER_SEGMENT;
}

/*
 * Reallocates the list of segments, which has a pointer for every 256 buckets: the only memory that moves as a whole.
 */
static bool set_segment_capacity(jz_hash_table *table, size_t capacity)
{
    if (capacity > SIZE_MAX / sizeof *table->segments)
        return false;
    jz_hash_entry ***segments = realloc(table->segments, capacity * sizeof *segments);
    if (segments == NULL)
        return false;
    table->segments = segments;
    table->segment_capacity = capacity;
    return true;
}

/* Adds a segment. Its buckets are initialized when they are split off. */
static bool add_segment(jz_hash_table *table)
{
    size_t number = segment_count(table);
    if (number == table->segment_capacity &&
        !set_segment_capacity(table, number > 0 ? number * 2 : (size_t)FIRST_SEGMENTS))
        return false;
    table->segments[number] = malloc(JZ_BUCKETS_PER_SEGMENT * sizeof(jz_hash_entry *));
    return table->segments[number] != NULL;
}

static void remove_segment(jz_hash_table *table, size_t number)
{
    free(table->segments[number]);
    if (table->segment_capacity > FIRST_SEGMENTS && number <= table->segment_capacity / 4)
        (void)set_segment_capacity(table, table->segment_capacity / 2); /* if that fails, it keeps its size */
}

void jz_hash_table_destroy(jz_hash_table *table, void (*discard)(jz_hash_entry *entry))
{
    for (size_t i = 0; i < table->bucket_count && discard != NULL; i++) {
        jz_hash_entry *entry = *bucket_at(table, i);
        while (entry != NULL) {
            jz_hash_entry *next = entry->next;
            discard(entry);
            entry = next;
        }
    }
    for (size_t i = 0; i < segment_count(table); i++)
        free(table->segments[i]);
    free(table->segments);
}

static bool begin(jz_hash_table *table)
{
    if (!add_segment(table))
        return false;
    for (size_t i = 0; i < FIRST_BUCKETS; i++)
        table->segments[0][i] = NULL;
    table->bucket_count = FIRST_BUCKETS;
    table->mask = FIRST_BUCKETS - 1;
    return true;
}

/* Splits the next bucket. If there is no memory, buckets become longer, and look-ups slower. */
static void split(jz_hash_table *table)
{
    size_t number = table->bucket_count;
    if (number % JZ_BUCKETS_PER_SEGMENT == 0 && !add_segment(table))
        return;
    if (number > table->mask)
        table->mask = table->mask * 2 + 1;
    jz_hash_entry **from = bucket_at(table, number & table->mask >> 1);
    jz_hash_entry **to = bucket_at(table, number);
    *to = NULL;
    while (*from != NULL) {
        jz_hash_entry *entry = *from;
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
static void unite(jz_hash_table *table)
{
    size_t number = table->bucket_count - 1;
    jz_hash_entry **end = bucket_at(table, number & table->mask >> 1);
    while (*end != NULL)
        end = &(*end)->next;
    *end = *bucket_at(table, number);
    table->bucket_count = number;
    if (number == (table->mask >> 1) + 1)
        table->mask >>= 1;
    if (number % JZ_BUCKETS_PER_SEGMENT == 0)
        remove_segment(table, number / JZ_BUCKETS_PER_SEGMENT);
}

bool jz_hash_table_add(jz_hash_table *table, jz_hash_entry *entry)
{
    if (table->bucket_count == 0 && !begin(table))
        return false;
    if (table->count >= table->bucket_count)
        split(table);
    jz_hash_entry **bucket = jz_hash_table_bucket(table, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    table->count++;
    return true;
}

void jz_hash_table_visit(const jz_hash_table *table, void (*visit)(void *context, jz_hash_entry *entry), void *context)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (jz_hash_entry *entry = *bucket_at(table, i); entry != NULL; entry = entry->next)
            visit(context, entry);
    }
}

void jz_hash_table_remove(jz_hash_table *table, jz_hash_entry *entry)
{
    jz_hash_entry **link = jz_hash_table_bucket(table, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    table->count--;
    /* Keep at least half as many entries as buckets: merge up to two buckets per removal, so that the table shrinks
       fast enough. */
    for (int i = 0; i < 2 && table->bucket_count > FIRST_BUCKETS && table->count < table->bucket_count / 2; i++)
        unite(table);
}
