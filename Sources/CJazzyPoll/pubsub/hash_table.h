/*
 * A hash table whose keys come from untrusted peers. It allocates memory in small pieces, and an addition or removal
 * moves only the entries of one or two buckets, however large the table is: linear hashing (W. Litwin, "Linear hashing:
 * a new tool for file and table addressing", 1980; P.-Å. Larson, "Dynamic hash tables", 1988). Each addition splits one
 * bucket, in order; each removal merges up to two pairs of buckets again.
 *
 * The caller owns the entries, and locks the table if several threads use it. Looking up changes nothing.
 */
#ifndef JAZZY_PUBSUB_HASH_TABLE_H
#define JAZZY_PUBSUB_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/siphash.h"

enum { JZ_BUCKETS_PER_SEGMENT = 256 };

/* The first member of each entry in a table. */
typedef struct jz_hash_entry {
    struct jz_hash_entry *next; /* in the same bucket */
    uint64_t hash;              /* from jz_hash_table_hash; set it before adding the entry */
} jz_hash_entry;

typedef struct jz_hash_table {
    jz_siphash_key key;
    jz_hash_entry ***segments; /* arrays of JZ_BUCKETS_PER_SEGMENT buckets */
    size_t segment_capacity;
    size_t bucket_count; /* 0 until the first entry is added */
    size_t mask;         /* the smallest 2^n - 1 that is not less than any bucket number */
    size_t count;
} jz_hash_table;

/* Makes an empty table, with a key that nobody can guess. */
void jz_hash_table_init(jz_hash_table *table);

/* Frees the table's own memory; calls `discard`, unless it is NULL, for each entry. */
void jz_hash_table_destroy(jz_hash_table *table, void (*discard)(jz_hash_entry *entry));

static inline uint64_t jz_hash_table_hash(const jz_hash_table *table, const void *bytes, size_t length)
{
    return jz_siphash(&table->key, bytes, length);
}

/* Private: the bucket of a hash. The table must have buckets. */
static inline jz_hash_entry **jz_hash_table_bucket(const jz_hash_table *table, uint64_t hash)
{
    size_t number = (size_t)hash & table->mask;
    if (number >= table->bucket_count)
        number &= table->mask >> 1; /* that bucket was not split off yet */
    return &table->segments[number / JZ_BUCKETS_PER_SEGMENT][number % JZ_BUCKETS_PER_SEGMENT];
}

/* The first entry of the bucket, linked by `next`, that has all entries with this hash; NULL if it is empty. */
static inline jz_hash_entry *jz_hash_table_look(const jz_hash_table *table, uint64_t hash)
{
    return table->bucket_count > 0 ? *jz_hash_table_bucket(table, hash) : NULL;
}

/* Adds an entry, even if there is an equal one. False: there is no memory for an empty table's first buckets. */
bool jz_hash_table_add(jz_hash_table *table, jz_hash_entry *entry);

/* Calls `visit` for each entry, in no order. It may not change the table. */
void jz_hash_table_visit(const jz_hash_table *table, void (*visit)(void *context, jz_hash_entry *entry), void *context);

/* Removes an entry of the table. */
void jz_hash_table_remove(jz_hash_table *table, jz_hash_entry *entry);

#endif
