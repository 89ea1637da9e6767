/*
 * A table of things that are found by keys that strangers choose. It takes memory in small pieces, and no addition or
 * removal moves more than what is in a bucket or two, however large the table is: linear hashing (W. Litwin, "Linear
 * hashing: a new tool for file and table addressing", 1980; P.-Å. Larson, "Dynamic hash tables", 1988). With each
 * addition one bucket is split in two, in their order; with each removal up to two pairs are put together again.
 *
 * What is in the table is its owner's, as is the lock where threads meet. Looking changes nothing.
 */
#ifndef JAZZY_PUBSUB_HASH_TABLE_H
#define JAZZY_PUBSUB_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/siphash.h"

enum { JZ_BUCKETS_PER_SEGMENT = 256 };

/* The first member of what is in a table. */
typedef struct jz_hash_entry {
    struct jz_hash_entry *next; /* in its bucket */
    uint64_t hash;              /* by jz_hash_table_hash; set before it is added */
} jz_hash_entry;

typedef struct jz_hash_table {
    jz_siphash_key key;
    jz_hash_entry ***segments; /* JZ_BUCKETS_PER_SEGMENT buckets each; a segment for each that is begun */
    size_t segment_capacity;
    size_t bucket_count; /* 0 before anything was added */
    size_t mask;         /* the smallest 2^n - 1 that no number of a bucket exceeds */
    size_t count;
} jz_hash_table;

/* Empty, with a key that nobody can guess. */
void jz_hash_table_init(jz_hash_table *table);

/* Frees its own memory, and lets `discard`, unless it is NULL, free what is in it. */
void jz_hash_table_destroy(jz_hash_table *table, void (*discard)(jz_hash_entry *entry));

static inline uint64_t jz_hash_table_hash(const jz_hash_table *table, const void *bytes, size_t length)
{
    return jz_siphash(&table->key, bytes, length);
}

/* Private: where the bucket begins that a hash belongs to. There are buckets. */
static inline jz_hash_entry **jz_hash_table_bucket(const jz_hash_table *table, uint64_t hash)
{
    size_t number = (size_t)hash & table->mask;
    if (number >= table->bucket_count)
        number &= table->mask >> 1; /* not split off yet */
    return &table->segments[number / JZ_BUCKETS_PER_SEGMENT][number % JZ_BUCKETS_PER_SEGMENT];
}

/* The first of those among which everything with this hash is, linked by `next`; NULL where there is none. */
static inline jz_hash_entry *jz_hash_table_look(const jz_hash_table *table, uint64_t hash)
{
    return table->bucket_count > 0 ? *jz_hash_table_bucket(table, hash) : NULL;
}

/* Adds an entry, whether or not there is one like it. False: there is no memory for an empty table's first buckets. */
bool jz_hash_table_add(jz_hash_table *table, jz_hash_entry *entry);

/* Calls `visit` for each entry, in no order. It may not change the table. */
void jz_hash_table_visit(const jz_hash_table *table, void (*visit)(void *context, jz_hash_entry *entry), void *context);

/* Removes an entry that is there. */
void jz_hash_table_remove(jz_hash_table *table, jz_hash_entry *entry);

#endif
