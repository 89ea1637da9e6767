/* What was taken from the queue: what of it is sent next, what was answered, and what is sent again. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include <stdlib.h>
#include <string.h>

#include "link/queue.h"

enum {
    MOST_SPARE = 4,
    FRUITLESS_BY_CHANCE = 2, /* connections; then a message may be the reason */
    MOST_FRUITLESS = 5       /* then it is taken for the reason */
};

static bool is_question(const jz_redis_queued *entry)
{
    return entry->kind >= JZ_REDIS_QUEUED_PROBE;
}

static bool is_message(const jz_redis_queued *entry)
{
    return entry->kind == JZ_REDIS_QUEUED_MESSAGE || entry->kind == JZ_REDIS_QUEUED_KEPT;
}

/* Under the lock: keeps the piece for later, or frees it. */
static void retire(jz_redis_queue *queue, jz_redis_piece *piece)
{
    if (piece->capacity != JZ_REDIS_PIECE_CAPACITY || queue->spare_count == MOST_SPARE) {
        jz_redis_piece_free(piece);
        return;
    }
    piece->count = piece->answered = piece->settled = piece->length = piece->sent = 0;
    piece->turn = 0;
    piece->next = queue->spare;
    queue->spare = piece;
    queue->spare_count++;
}

/* Under the lock: what was answered leaves the accounts. */
static void settle_piece(jz_redis_queue *queue, jz_redis_piece *piece)
{
    for (; piece->settled < piece->answered; piece->settled++) {
        const jz_redis_queued *entry = &piece->queued[piece->settled];
        size_t start = piece->settled > 0 ? entry[-1].end : 0;
        if (is_question(entry))
            continue;
        if (entry->publication != NULL)
            jz_redis_published_answered(queue->published, entry->publication);
        queue->bytes -= jz_redis_queue_weight(entry->end - start);
        queue->messages--;
    }
}

void jz_redis_flight_settle(jz_redis_queue *queue)
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

void jz_redis_flight_take(jz_redis_queue *queue)
{
    jz_redis_pieces *flight = &queue->flight;
    jz_redis_piece *first = queue->gathered.first;
    jz_redis_piece *last = NULL;
    for (jz_redis_piece *piece = first; piece != NULL && piece->turn <= queue->settled_turn; piece = piece->next) {
        queue->gathered_bytes -= piece->length;
        last = piece;
    }
    if (last == NULL)
        return;
    jz_redis_piece *held = last->next;
    last->next = NULL;
    if (flight->last != NULL)
        flight->last->next = first;
    else
        flight->first = first;
    flight->last = last;
    queue->sending = first;
    if (queue->awaiting == NULL)
        queue->awaiting = first;
    queue->gathered.first = held;
    if (held == NULL)
        queue->gathered.last = NULL;
}

char *jz_redis_queue_ask_for(jz_redis_queue *queue, jz_redis_queued_kind kind, uint64_t number, size_t length)
{
    jz_redis_piece *piece = jz_redis_piece_make(length);
    if (piece == NULL || !jz_redis_piece_has_room(piece)) {
        free(piece);
        return NULL;
    }
    piece->length = length;
    piece->queued[piece->count++] = (jz_redis_queued){.number = number, .end = length, .kind = kind};
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
    return piece->bytes;
}

bool jz_redis_queue_ask(jz_redis_queue *queue, jz_redis_queued_kind kind, const char *command, size_t length)
{
    char *to = jz_redis_queue_ask_for(queue, kind, 0, length);
    if (to != NULL)
        memcpy(to, command, length);
    return to != NULL;
}

/* What is sent next where each is sent alone: of the one that is awaited, what is unsent. */
static size_t area_of_one(const jz_redis_queue *queue, struct iovec *area)
{
    jz_redis_piece *piece = queue->awaiting;
    if (piece == NULL || piece->sent >= piece->queued[piece->answered].end)
        return 0;
    *area = (struct iovec){.iov_base = piece->bytes + piece->sent,
                           .iov_len = piece->queued[piece->answered].end - piece->sent};
    return 1;
}

size_t jz_redis_queue_areas(const jz_redis_queue *queue, struct iovec *areas, size_t most)
{
    size_t count = 0;
    if (queue->careful > 0)
        return area_of_one(queue, areas);
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

/* Our own questions are answered also where a message is not. */
static void note_progress(jz_redis_queue *queue, const jz_redis_queued *entry)
{
    if (is_question(entry))
        return;
    queue->fruitless = 0;
    if (queue->careful > 0)
        queue->careful--;
}

static void next_awaited(jz_redis_queue *queue)
{
    jz_redis_piece *piece = queue->awaiting;
    piece->answered++;
    if (piece->answered == piece->count)
        queue->awaiting = piece->next;
}

bool jz_redis_queue_answered(jz_redis_queue *queue)
{
    const jz_redis_queued *entry = jz_redis_queue_awaited(queue);
    if (entry->end > queue->awaiting->sent)
        return false;
    note_progress(queue, entry);
    if (is_message(entry))
        atomic_store_explicit(&queue->accepted, atomic_load_explicit(&queue->accepted, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    next_awaited(queue);
    return true;
}

bool jz_redis_queue_refused(jz_redis_queue *queue)
{
    jz_redis_queued *entry = &queue->awaiting->queued[queue->awaiting->answered];
    bool is_whole = entry->end <= queue->awaiting->sent;
    note_progress(queue, entry);
    pthread_mutex_lock(&queue->lock);
    if (entry->kind == JZ_REDIS_QUEUED_KEPT && entry->publication->kept == entry->number)
        entry->publication->kept = 0; /* the next one comes behind another */
    if (entry->publication != NULL)
        jz_redis_published_lost(queue->published, entry->publication, entry->number);
    else if (entry->kind == JZ_REDIS_QUEUED_LOST_ANY)
        jz_redis_published_lost_any(queue->published);
    entry->publication = NULL;
    pthread_mutex_unlock(&queue->lock);
    if (is_message(entry))
        jz_redis_queue_count_dropped(queue);
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
        if (is_question(&piece->queued[0]))
            jz_redis_piece_free(piece);
        else
            jz_redis_pieces_append(&kept, piece);
    }
    *pieces = kept;
}

/* How many were sent, be it in part, and not answered. */
static size_t count_outstanding(const jz_redis_queue *queue)
{
    size_t count = 0;
    for (const jz_redis_piece *piece = queue->flight.first; piece != NULL; piece = piece->next) {
        for (size_t i = piece->answered; i < piece->count && (i > 0 ? piece->queued[i - 1].end : 0) < piece->sent; i++)
            count++;
    }
    return count;
}

static void settle(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    jz_redis_flight_settle(queue);
    pthread_mutex_unlock(&queue->lock);
}

/* All that is unanswered is unsent. */
static void unsend(jz_redis_queue *queue)
{
    for (jz_redis_piece *piece = queue->flight.first; piece != NULL; piece = piece->next)
        piece->sent = piece->answered > 0 ? piece->queued[piece->answered - 1].end : 0;
    queue->sending = queue->awaiting = queue->flight.first;
}

bool jz_redis_queue_rewind(jz_redis_queue *queue)
{
    settle(queue);
    forget_questions(&queue->flight);
    size_t outstanding = count_outstanding(queue);
    jz_redis_pieces_prepend(&queue->flight, &queue->retried);
    unsend(queue);
    if (outstanding == 0)
        return false;
    queue->fruitless++;
    bool is_given_up = queue->fruitless >= MOST_FRUITLESS;
    if (is_given_up) {
        (void)jz_redis_queue_refused(queue);
        settle(queue);
        unsend(queue);
        outstanding--;
    }
    queue->careful = is_given_up || queue->fruitless >= FRUITLESS_BY_CHANCE ? outstanding : 0;
    return is_given_up;
}
