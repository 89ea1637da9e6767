#define _POSIX_C_SOURCE 200809L

#include "link/queue.h"

#include <stdlib.h>
#include <string.h>

#include "link/clock.h"
#include "link/command.h"
#include "topics/channel.h"

enum {
    PIECE_CAPACITY = 32 * 1024,
    MOST_SPARE = 4,
    FEWEST_QUEUED = 32,
    CHANNEL_MOST = JZ_REDIS_OWN_CHANNEL_MOST,
    LONGEST_MESSAGE = 512 * 1024 * 1024 /* proto-max-bulk-len of Redis */
};

static const char command_start[] = "*3\r\n$7\r\nPUBLISH\r\n";

/* A message, with the sizes of its parts. */
typedef struct plan {
    const char *topic; /* NULL: to the channel of all processes */
    size_t topic_length;
    size_t channel_length;
    const uint8_t *header;
    size_t header_length;
    const void *bytes;
    size_t length;
    size_t size; /* of the whole command */
} plan;

static bool make_plan(const jz_redis_queue *queue, plan *plan)
{
    char all[CHANNEL_MOST];
    size_t suffix = plan->topic != NULL ? jz_redis_channel_length(plan->topic, plan->topic_length)
                                        : (size_t)(jz_redis_channel_write_all(all) - all);
    if (suffix > LONGEST_MESSAGE - queue->prefix_length || plan->length > LONGEST_MESSAGE - plan->header_length)
        return false;
    plan->channel_length = queue->prefix_length + suffix;
    size_t content = plan->header_length + plan->length;
    plan->size = sizeof command_start - 1 + jz_redis_length_size(plan->channel_length) + plan->channel_length + 2 +
                 jz_redis_length_size(content) + content + 2;
    return true;
}

static void write_command(const jz_redis_queue *queue, const plan *plan, char *to)
{
    memcpy(to, command_start, sizeof command_start - 1);
    to = jz_redis_write_length(to + sizeof command_start - 1, '$', plan->channel_length);
    memcpy(to, queue->prefix, queue->prefix_length);
    to += queue->prefix_length;
    to = plan->topic != NULL ? jz_redis_channel_write(to, plan->topic, plan->topic_length)
                             : jz_redis_channel_write_all(to);
    *to++ = '\r';
    *to++ = '\n';
    to = jz_redis_write_length(to, '$', plan->header_length + plan->length);
    memcpy(to, plan->header, plan->header_length);
    to += plan->header_length;
    if (plan->length > 0)
        memcpy(to, plan->bytes, plan->length);
    memcpy(to + plan->length, "\r\n", 2);
}

/* Pieces */

static void free_piece(jz_redis_piece *piece)
{
    free(piece->queued);
    free(piece);
}

static void append(jz_redis_pieces *pieces, jz_redis_piece *piece)
{
    piece->next = NULL;
    if (pieces->last != NULL)
        pieces->last->next = piece;
    else
        pieces->first = piece;
    pieces->last = piece;
}

static void free_pieces(jz_redis_pieces *pieces)
{
    while (pieces->first != NULL) {
        jz_redis_piece *piece = pieces->first;
        pieces->first = piece->next;
        free_piece(piece);
    }
    pieces->last = NULL;
}

static jz_redis_piece *make_piece(size_t capacity)
{
    jz_redis_piece *piece = malloc(sizeof *piece + capacity);
    if (piece != NULL)
        *piece = (jz_redis_piece){.capacity = capacity};
    return piece;
}

/* Room for one more entry. */
static bool has_room_for_entry(jz_redis_piece *piece)
{
    if (piece->count < piece->queued_capacity)
        return true;
    size_t capacity = piece->queued_capacity > 0 ? piece->queued_capacity * 2 : FEWEST_QUEUED;
    jz_redis_queued *queued = realloc(piece->queued, capacity * sizeof *queued);
    if (queued == NULL)
        return false;
    piece->queued = queued;
    piece->queued_capacity = capacity;
    return true;
}

/* Under the lock: the piece that the next command of this size is added to. */
static jz_redis_piece *piece_for(jz_redis_queue *queue, size_t size)
{
    jz_redis_piece *piece = queue->gathered.last;
    if (piece != NULL && piece->capacity - piece->length >= size)
        return has_room_for_entry(piece) ? piece : NULL;
    if (size <= PIECE_CAPACITY && queue->spare != NULL) {
        piece = queue->spare;
        queue->spare = piece->next;
        queue->spare_count--;
    } else {
        piece = make_piece(size > PIECE_CAPACITY ? size : PIECE_CAPACITY);
    }
    if (piece == NULL)
        return NULL;
    if (!has_room_for_entry(piece)) {
        free_piece(piece);
        return NULL;
    }
    append(&queue->gathered, piece);
    return piece;
}

/* Under the lock: keeps the piece for later, or frees it. */
static void retire(jz_redis_queue *queue, jz_redis_piece *piece)
{
    if (piece->capacity != PIECE_CAPACITY || queue->spare_count == MOST_SPARE) {
        free_piece(piece);
        return;
    }
    piece->count = piece->answered = piece->settled = piece->length = piece->sent = 0;
    piece->next = queue->spare;
    queue->spare = piece;
    queue->spare_count++;
}

/* The queue */

bool jz_redis_queue_init(jz_redis_queue *queue, uint64_t origin)
{
    queue->published = jz_redis_published_create(origin, JZ_REDIS_PUBLISHED_CAPACITY);
    if (queue->published == NULL)
        return false;
    pthread_mutex_init(&queue->lock, NULL);
    queue->wake_at = SIZE_MAX;
    return true;
}

void jz_redis_queue_destroy(jz_redis_queue *queue)
{
    if (queue->published == NULL)
        return;
    jz_redis_pieces spare = {.first = queue->spare};
    free_pieces(&spare);
    free_pieces(&queue->gathered);
    free_pieces(&queue->flight);
    jz_redis_published_free(queue->published);
    pthread_mutex_destroy(&queue->lock);
    queue->published = NULL;
}

static size_t weight(size_t size)
{
    return size + sizeof(jz_redis_queued);
}

/* Under the lock. False: no memory. */
static bool gather(jz_redis_queue *queue, const plan *plan, const jz_redis_queued *entry)
{
    jz_redis_piece *piece = piece_for(queue, plan->size);
    if (piece == NULL)
        return false;
    write_command(queue, plan, piece->bytes + piece->length);
    piece->length += plan->size;
    piece->queued[piece->count] = *entry;
    piece->queued[piece->count++].end = piece->length;
    queue->gathered_bytes += plan->size;
    queue->bytes += weight(plan->size);
    queue->messages++;
    return true;
}

static void count_dropped(jz_redis_queue *queue)
{
    atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
}

/* Under the lock. */
static bool publish(jz_redis_queue *queue, const jz_redis_publishing *publishing, uint64_t now_ms)
{
    uint8_t header[JZ_REDIS_ENVELOPE_MOST];
    jz_redis_envelope envelope = {.kind = publishing->kind, .publisher = publishing->publisher};
    const char *topic = publishing->topic_length > 0 ? publishing->topic : "";
    jz_redis_publication *publication =
        jz_redis_published_take(queue->published, topic, publishing->topic_length, now_ms, &envelope);
    if (publication == NULL)
        return false;
    plan plan = {.topic = topic,
                 .topic_length = publishing->topic_length,
                 .header = header,
                 .header_length = jz_redis_envelope_write(&envelope, header),
                 .bytes = publishing->bytes,
                 .length = publishing->length};
    jz_redis_queued entry = {.publication = publication, .number = envelope.sequence, .kind = JZ_REDIS_QUEUED_MESSAGE};
    if (!queue->is_closed && make_plan(queue, &plan) && queue->bytes <= queue->limit &&
        weight(plan.size) <= queue->limit - queue->bytes && gather(queue, &plan, &entry))
        return true;
    jz_redis_published_lost(queue->published, publication, envelope.sequence);
    return false;
}

bool jz_redis_queue_publish(jz_redis_queue *queue, const jz_redis_publishing *publishing)
{
    uint64_t now_ms = jz_redis_now_ms();
    pthread_mutex_lock(&queue->lock);
    bool is_queued = publish(queue, publishing, now_ms);
    bool must_ring = queue->gathered_bytes >= queue->wake_at;
    if (must_ring)
        queue->wake_at = SIZE_MAX;
    pthread_mutex_unlock(&queue->lock);
    if (must_ring)
        jz_redis_bell_ring(queue->bell);
    if (!is_queued)
        count_dropped(queue);
    return is_queued;
}

/* Announcements */

/* Under the lock. False: no memory. */
static bool gather_announcement(jz_redis_queue *queue, const char *topic, size_t topic_length,
                                const jz_redis_envelope *envelope, const jz_redis_queued *entry)
{
    uint8_t header[JZ_REDIS_ANNOUNCEMENT_SIZE];
    plan plan = {.topic = topic,
                 .topic_length = topic_length,
                 .header = header,
                 .header_length = jz_redis_envelope_write(envelope, header)};
    return make_plan(queue, &plan) && gather(queue, &plan, entry);
}

/* Under the lock: not more than half of the queue at a time, so that messages find room. */
static void announce(jz_redis_queue *queue)
{
    jz_redis_envelope envelope;
    jz_redis_publication *publication;
    if (jz_redis_published_is_lost_any_due(queue->published) && queue->bytes <= queue->limit / 2) {
        jz_redis_published_take_lost_any(queue->published, &envelope);
        jz_redis_queued entry = {.kind = JZ_REDIS_QUEUED_LOST_ANY};
        if (!gather_announcement(queue, NULL, 0, &envelope, &entry))
            jz_redis_published_lost_any(queue->published);
    }
    while (jz_redis_published_announcements_due(queue->published) > 0 && queue->bytes <= queue->limit / 2 &&
           (publication = jz_redis_published_next_announcement(queue->published, &envelope)) != NULL) {
        jz_redis_queued entry = {
            .publication = publication, .number = envelope.lost_from, .kind = JZ_REDIS_QUEUED_ANNOUNCEMENT};
        if (gather_announcement(queue, publication->entry.name, publication->entry.length, &envelope, &entry))
            continue;
        jz_redis_published_lost(queue->published, publication, envelope.lost_from);
        break;
    }
}

static bool is_announcement_due(const jz_redis_queue *queue)
{
    return jz_redis_published_announcements_due(queue->published) > 0 ||
           jz_redis_published_is_lost_any_due(queue->published);
}

/* The broker's thread */

/* Under the lock: what was answered leaves the accounts. */
static void settle_piece(jz_redis_queue *queue, jz_redis_piece *piece)
{
    for (; piece->settled < piece->answered; piece->settled++) {
        const jz_redis_queued *entry = &piece->queued[piece->settled];
        size_t start = piece->settled > 0 ? entry[-1].end : 0;
        if (entry->kind >= JZ_REDIS_QUEUED_PROBE)
            continue;
        if (entry->publication != NULL)
            jz_redis_published_answered(queue->published, entry->publication);
        queue->bytes -= weight(entry->end - start);
        queue->messages--;
    }
}

static void settle(jz_redis_queue *queue)
{
    jz_redis_piece *piece = queue->flight.first;
    while (piece != NULL && piece->answered > piece->settled) {
        settle_piece(queue, piece);
        if (piece->settled < piece->count)
            return;
        queue->flight.first = piece->next;
        if (piece->next == NULL)
            queue->flight.last = NULL;
        retire(queue, piece);
        piece = queue->flight.first;
    }
}

/* Under the lock. */
static void take(jz_redis_queue *queue)
{
    jz_redis_pieces *flight = &queue->flight;
    jz_redis_piece *first = queue->gathered.first;
    if (flight->last != NULL)
        flight->last->next = first;
    else
        flight->first = first;
    flight->last = queue->gathered.last;
    queue->sending = first;
    if (queue->awaiting == NULL)
        queue->awaiting = first;
    queue->gathered = (jz_redis_pieces){NULL, NULL};
    queue->gathered_bytes = 0;
}

/* What gathered bytes suffice to be sent now. */
static size_t needed(const jz_redis_queue *queue, bool is_up)
{
    if (!is_up || queue->sending != NULL)
        return SIZE_MAX;
    return queue->awaiting == NULL ? 1 : queue->batch;
}

void jz_redis_queue_advance(jz_redis_queue *queue, bool is_up, uint64_t now_ms)
{
    pthread_mutex_lock(&queue->lock);
    settle(queue);
    queue->wake_at = SIZE_MAX;
    if (is_up && now_ms >= queue->announces_ms && is_announcement_due(queue))
        announce(queue);
    if (queue->gathered_bytes >= needed(queue, is_up))
        take(queue);
    pthread_mutex_unlock(&queue->lock);
}

bool jz_redis_queue_sleep(jz_redis_queue *queue, bool is_up)
{
    pthread_mutex_lock(&queue->lock);
    queue->wake_at = needed(queue, is_up);
    bool may_sleep = queue->gathered_bytes < queue->wake_at;
    if (!may_sleep)
        queue->wake_at = SIZE_MAX;
    pthread_mutex_unlock(&queue->lock);
    return may_sleep;
}

bool jz_redis_queue_ask(jz_redis_queue *queue, jz_redis_queued_kind kind, const char *command, size_t length)
{
    jz_redis_piece *piece = make_piece(length);
    if (piece == NULL || !has_room_for_entry(piece)) {
        free(piece);
        return false;
    }
    memcpy(piece->bytes, command, length);
    piece->length = length;
    piece->queued[piece->count++] = (jz_redis_queued){.end = length, .kind = kind};
    /* Behind what is sent already, be it in part. */
    jz_redis_piece *before = queue->sending != NULL && queue->sending->sent > 0 ? queue->sending : NULL;
    if (before == NULL) {
        for (jz_redis_piece *other = queue->flight.first; other != queue->sending; other = other->next)
            before = other;
    }
    piece->next = before != NULL ? before->next : queue->flight.first;
    if (before != NULL)
        before->next = piece;
    else
        queue->flight.first = piece;
    if (piece->next == NULL)
        queue->flight.last = piece;
    if (queue->sending == NULL || queue->sending == piece->next)
        queue->sending = piece;
    if (queue->awaiting == NULL || queue->awaiting == piece->next)
        queue->awaiting = piece;
    return true;
}

size_t jz_redis_queue_areas(const jz_redis_queue *queue, struct iovec *areas, size_t most)
{
    size_t count = 0;
    for (jz_redis_piece *piece = queue->sending; piece != NULL && count < most; piece = piece->next)
        areas[count++] = (struct iovec){.iov_base = piece->bytes + piece->sent, .iov_len = piece->length - piece->sent};
    return count;
}

void jz_redis_queue_sent(jz_redis_queue *queue, size_t length)
{
    while (queue->sending != NULL) {
        jz_redis_piece *piece = queue->sending;
        size_t rest = piece->length - piece->sent;
        size_t part = length < rest ? length : rest;
        piece->sent += part;
        length -= part;
        if (piece->sent < piece->length)
            return;
        queue->sending = piece->next;
    }
}

const jz_redis_queued *jz_redis_queue_awaited(const jz_redis_queue *queue)
{
    const jz_redis_piece *piece = queue->awaiting;
    if (piece == NULL)
        return NULL;
    size_t start = piece->answered > 0 ? piece->queued[piece->answered - 1].end : 0;
    return start < piece->sent ? &piece->queued[piece->answered] : NULL;
}

static void next_awaited(jz_redis_queue *queue)
{
    jz_redis_piece *piece = queue->awaiting;
    piece->answered++;
    if (piece->answered == piece->count)
        queue->awaiting = piece->next;
}

void jz_redis_queue_answered(jz_redis_queue *queue)
{
    const jz_redis_queued *entry = jz_redis_queue_awaited(queue);
    if (entry->kind == JZ_REDIS_QUEUED_MESSAGE)
        atomic_store_explicit(&queue->accepted, atomic_load_explicit(&queue->accepted, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    next_awaited(queue);
}

bool jz_redis_queue_refused(jz_redis_queue *queue)
{
    jz_redis_queued *entry = &queue->awaiting->queued[queue->awaiting->answered];
    bool is_whole = entry->end <= queue->awaiting->sent;
    pthread_mutex_lock(&queue->lock);
    if (entry->publication != NULL)
        jz_redis_published_lost(queue->published, entry->publication, entry->number);
    else if (entry->kind == JZ_REDIS_QUEUED_LOST_ANY)
        jz_redis_published_lost_any(queue->published);
    entry->publication = NULL;
    pthread_mutex_unlock(&queue->lock);
    if (entry->kind == JZ_REDIS_QUEUED_MESSAGE)
        count_dropped(queue);
    next_awaited(queue);
    return is_whole;
}

/* Takes our own questions out, which have a piece each. */
static void forget_questions(jz_redis_pieces *pieces)
{
    jz_redis_pieces kept = {NULL, NULL};
    while (pieces->first != NULL) {
        jz_redis_piece *piece = pieces->first;
        pieces->first = piece->next;
        if (piece->queued[0].kind >= JZ_REDIS_QUEUED_PROBE)
            free_piece(piece);
        else
            append(&kept, piece);
    }
    *pieces = kept;
}

void jz_redis_queue_rewind(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    settle(queue);
    pthread_mutex_unlock(&queue->lock);
    forget_questions(&queue->flight);
    for (jz_redis_piece *piece = queue->flight.first; piece != NULL; piece = piece->next)
        piece->sent = piece->answered > 0 ? piece->queued[piece->answered - 1].end : 0;
    queue->sending = queue->awaiting = queue->flight.first;
}

void jz_redis_queue_reconnected(jz_redis_queue *queue, uint64_t now_ms)
{
    pthread_mutex_lock(&queue->lock);
    jz_redis_published_reconnected(queue->published, now_ms);
    pthread_mutex_unlock(&queue->lock);
    queue->announces_ms = now_ms;
}

uint64_t jz_redis_queue_due_ms(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool is_due = is_announcement_due(queue) && queue->bytes <= queue->limit / 2;
    pthread_mutex_unlock(&queue->lock);
    return is_due ? queue->announces_ms : UINT64_MAX;
}

bool jz_redis_queue_is_idle(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    settle(queue);
    bool is_idle = queue->messages == 0 && !is_announcement_due(queue);
    pthread_mutex_unlock(&queue->lock);
    return is_idle;
}

void jz_redis_queue_measure(jz_redis_queue *queue, size_t *bytes, size_t *messages)
{
    pthread_mutex_lock(&queue->lock);
    *bytes = queue->bytes;
    *messages = queue->messages;
    pthread_mutex_unlock(&queue->lock);
}

void jz_redis_queue_end(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
}
