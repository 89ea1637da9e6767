#include "envelope/published.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "envelope/age.h"

struct jz_redis_published {
    jz_redis_table table;
    jz_redis_list recent; /* the one used last at the end */
    jz_redis_list due;
    uint64_t origin;
    size_t capacity;
    size_t bytes;        /* of all topics with their names */
    uint64_t floor;      /* the highest number of a topic that was forgotten: those that come (again) begin above it */
    uint64_t evicted_ms; /* when a topic was published to that was forgotten, at the latest */
    bool has_evicted;
    bool is_lost_any_due;
    uint64_t lost_until_ms; /* while that is due: what it tells of was published until then */
};

/* How many topics one message may push out, or find in use: no call takes long. */
enum { MOST_STEPS = 4 };

jz_redis_published *jz_redis_published_create(uint64_t origin, size_t capacity)
{
    jz_redis_published *published = malloc(sizeof *published);
    if (published == NULL)
        return NULL;
    *published = (jz_redis_published){.origin = origin, .capacity = capacity};
    jz_redis_table_init(&published->table);
    jz_redis_list_init(&published->recent);
    jz_redis_list_init(&published->due);
    return published;
}

static void discard(jz_redis_entry *entry)
{
    free(entry);
}

void jz_redis_published_free(jz_redis_published *published)
{
    if (published == NULL)
        return;
    jz_redis_table_destroy(&published->table, discard);
    free(published);
}

static void make_lost_any_due(jz_redis_published *published, uint64_t until_ms)
{
    if (!published->is_lost_any_due || until_ms > published->lost_until_ms)
        published->lost_until_ms = until_ms;
    published->is_lost_any_due = true;
}

static bool is_due(const jz_redis_publication *publication)
{
    return jz_redis_link_is_listed(&publication->due);
}

static void make_due(jz_redis_published *published, jz_redis_publication *publication, uint64_t lost_from)
{
    if (!is_due(publication)) {
        jz_redis_list_append(&published->due, &publication->due);
        publication->lost_from = lost_from;
    } else if (lost_from < publication->lost_from) {
        publication->lost_from = lost_from;
    }
}

static size_t size_of(size_t length)
{
    return sizeof(jz_redis_publication) + length;
}

/* Forgets a topic without unanswered messages. If it had something to announce, everybody is told. */
static void evict(jz_redis_published *published, jz_redis_publication *publication)
{
    if (is_due(publication)) {
        jz_redis_list_remove(&published->due, &publication->due);
        make_lost_any_due(published, UINT64_MAX);
    }
    if (publication->sequence > published->floor)
        published->floor = publication->sequence;
    if (!published->has_evicted || publication->published_ms > published->evicted_ms)
        published->evicted_ms = publication->published_ms;
    published->has_evicted = true;
    published->bytes -= size_of(publication->entry.length);
    jz_redis_list_remove(&published->recent, &publication->recent);
    jz_redis_table_remove(&published->table, &publication->entry);
    free(publication);
}

static void use(jz_redis_published *published, jz_redis_publication *publication)
{
    if (published->recent.ends.previous == &publication->recent)
        return;
    jz_redis_list_remove(&published->recent, &publication->recent);
    jz_redis_list_append(&published->recent, &publication->recent);
}

/* Forgets topics that are not needed any more, or, if there are too many, the one that was not used for the longest
   time. Those with unanswered messages stay. */
static void make_room(jz_redis_published *published, size_t length, uint64_t now_ms)
{
    const size_t most_bytes = published->capacity * JZ_REDIS_PUBLISHED_AVERAGE;
    /* As many topics as a long name takes the place of. */
    const size_t steps = MOST_STEPS + length / sizeof(jz_redis_publication);
    for (size_t i = 0; i < steps && published->recent.count > 0; i++) {
        jz_redis_publication *oldest =
            JZ_REDIS_HOLDER_OF(jz_redis_list_first(&published->recent), jz_redis_publication, recent);
        bool is_full = published->table.count >= published->capacity || published->bytes + length > most_bytes;
        bool is_over = jz_redis_age_ms(oldest->published_ms, now_ms) > JZ_REDIS_DOUBT_MS && !is_due(oldest);
        if (!is_full && (!is_over || oldest->unanswered > 0))
            return;
        if (oldest->unanswered > 0)
            use(published, oldest);
        else
            evict(published, oldest);
    }
}

static jz_redis_publication *add(jz_redis_published *published, uint64_t hash, const char *topic, size_t length)
{
    jz_redis_publication *added = length <= SIZE_MAX - sizeof *added ? malloc(size_of(length)) : NULL;
    if (added == NULL)
        return NULL;
    char *name = (char *)(added + 1);
    if (length > 0)
        memcpy(name, topic, length);
    *added =
        (jz_redis_publication){.entry = {.hash = hash, .name = name, .length = length}, .sequence = published->floor};
    if (!jz_redis_table_add(&published->table, &added->entry)) {
        free(added);
        return NULL;
    }
    jz_redis_list_append(&published->recent, &added->recent);
    published->bytes += size_of(length);
    return added;
}

/* The topic that was used last, if it is this one: often messages to the same topic follow each other. */
static jz_redis_publication *find_last_used(const jz_redis_published *published, const char *topic, size_t length)
{
    if (published->recent.count == 0)
        return NULL;
    jz_redis_publication *last = JZ_REDIS_HOLDER_OF(published->recent.ends.previous, jz_redis_publication, recent);
    return jz_redis_entry_is(&last->entry, topic, length) ? last : NULL;
}

static jz_redis_publication *find_or_add(jz_redis_published *published, const char *topic, size_t length,
                                         uint64_t now_ms, bool *is_anew)
{
    uint64_t hash = jz_redis_table_hash(&published->table, topic, length);
    jz_redis_publication *found = (jz_redis_publication *)jz_redis_table_find(&published->table, hash, topic, length);
    *is_anew = found == NULL;
    if (found != NULL)
        return found;
    make_room(published, length, now_ms);
    return add(published, hash, topic, length);
}

jz_redis_publication *jz_redis_published_take(jz_redis_published *published, const char *topic, size_t length,
                                              uint64_t now_ms, jz_redis_envelope *envelope)
{
    bool is_anew = false;
    jz_redis_publication *publication = find_last_used(published, topic, length);
    if (publication == NULL)
        publication = find_or_add(published, topic, length, now_ms, &is_anew);
    if (publication == NULL) {
        make_lost_any_due(published, UINT64_MAX);
        return NULL;
    }
    use(published, publication);
    publication->sequence++;
    publication->published_ms = now_ms;
    publication->unanswered++;
    envelope->origin = published->origin;
    envelope->sequence = publication->sequence;
    envelope->is_anew = is_anew;
    return publication;
}

void jz_redis_published_answered(jz_redis_published *published, jz_redis_publication *publication)
{
    (void)published;
    assert(publication->unanswered > 0);
    publication->unanswered--;
}

void jz_redis_published_lost(jz_redis_published *published, jz_redis_publication *publication, uint64_t sequence)
{
    assert(publication->unanswered > 0);
    publication->unanswered--;
    make_due(published, publication, sequence);
}

typedef struct doubt {
    jz_redis_published *published;
    uint64_t since_ms;
} doubt;

static void doubt_entry(void *context, jz_redis_entry *entry)
{
    doubt *asked = context;
    jz_redis_publication *publication = (jz_redis_publication *)entry;
    if (publication->published_ms >= asked->since_ms)
        make_due(asked->published, publication, 0);
}

void jz_redis_published_reconnected(jz_redis_published *published, uint64_t since_ms, uint64_t until_ms)
{
    jz_redis_table_visit(&published->table, doubt_entry, &(doubt){published, since_ms});
    if (published->has_evicted && published->evicted_ms >= since_ms)
        make_lost_any_due(published, until_ms);
}

jz_redis_publication *jz_redis_published_next_announcement(jz_redis_published *published, uint64_t now_ms,
                                                           jz_redis_envelope *envelope)
{
    jz_redis_link *first = jz_redis_list_first(&published->due);
    if (first == NULL)
        return NULL;
    jz_redis_list_remove(&published->due, first);
    jz_redis_publication *publication = JZ_REDIS_HOLDER_OF(first, jz_redis_publication, due);
    publication->unanswered++;
    publication->published_ms = now_ms;
    use(published, publication);
    *envelope = (jz_redis_envelope){
        .kind = JZ_REDIS_ANNOUNCEMENT,
        .origin = published->origin,
        .sequence = publication->sequence,
        .lost_from = publication->lost_from,
    };
    return publication;
}

size_t jz_redis_published_announcements_due(const jz_redis_published *published)
{
    return published->due.count;
}

bool jz_redis_published_is_lost_any_due(const jz_redis_published *published)
{
    return published->is_lost_any_due;
}

void jz_redis_published_take_lost_any(jz_redis_published *published, uint64_t now_ms, jz_redis_envelope *envelope)
{
    published->is_lost_any_due = false;
    published->has_evicted = true;
    published->evicted_ms = now_ms;
    *envelope = (jz_redis_envelope){.kind = JZ_REDIS_LOST_ANY,
                                    .origin = published->origin,
                                    .sequence = jz_redis_age_ms(published->lost_until_ms, now_ms)};
}

void jz_redis_published_lost_any(jz_redis_published *published)
{
    make_lost_any_due(published, UINT64_MAX);
}

size_t jz_redis_published_count(const jz_redis_published *published)
{
    return published->table.count;
}
