/*
 * tables/: entries that are found by a name, and lists of them. Not here: what the entries are about.
 *
 * Names of topics come from clients that nobody trusts, so the hash has a secret key (SipHash-1-3: J.-P. Aumasson, D.
 * J. Bernstein, "SipHash: a fast short-input PRF", 2012). An addition or removal moves only the entries of a few
 * buckets, however large the table is: it happens under a lock for which event loops wait (linear hashing: W. Litwin,
 * "Linear hashing: a new tool for file and table addressing", 1980).
 *
 * The caller owns the entries, and locks the table. Looking up changes nothing.
 */
#ifndef JAZZY_REDIS_TABLES_TABLE_H
#define JAZZY_REDIS_TABLES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first member of each entry in a table. `name` is not NUL-terminated. */
typedef struct jz_redis_entry {
    struct jz_redis_entry *next; /* in the same bucket */
    uint64_t hash;
    const char *name;
    size_t length;
} jz_redis_entry;

static inline bool jz_redis_entry_is(const jz_redis_entry *entry, const char *name, size_t length)
{
    return entry->length == length && (length == 0 || memcmp(entry->name, name, length) == 0);
}

typedef struct jz_redis_table {
    uint64_t key[2];
    jz_redis_entry **buckets;
    size_t capacity;     /* of `buckets` */
    size_t bucket_count; /* in use; 0 until the first entry is added */
    size_t mask;         /* the smallest 2^n - 1 that is not less than any bucket number in use */
    size_t count;
} jz_redis_table;

/* An empty table with a key that nobody can guess. */
void jz_redis_table_init(jz_redis_table *table);

/* Frees the table's own memory; calls `discard` for each entry. */
void jz_redis_table_destroy(jz_redis_table *table, void (*discard)(jz_redis_entry *entry));

uint64_t jz_redis_table_hash(const jz_redis_table *table, const char *name, size_t length);

/* The entry of this name; NULL: there is none. */
jz_redis_entry *jz_redis_table_find(const jz_redis_table *table, uint64_t hash, const char *name, size_t length);

/* Adds an entry whose name is not in the table, with its `hash` set. False: no memory, and nothing has changed. */
bool jz_redis_table_add(jz_redis_table *table, jz_redis_entry *entry);

/* Removes an entry of the table. */
void jz_redis_table_remove(jz_redis_table *table, jz_redis_entry *entry);

/* Calls `visit` for each entry, in no order. It may not change the table. */
void jz_redis_table_visit(const jz_redis_table *table, void (*visit)(void *context, jz_redis_entry *entry),
                          void *context);

#endif
