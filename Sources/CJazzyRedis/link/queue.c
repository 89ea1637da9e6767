#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "link/queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/clock.h"
#include "link/publish_command.h"
#include "link/sending.h"
#include "tables/random.h"

enum {
    NO_MEMORY_MS = 100, /* until announcements are tried again */
    UNFLUSHED_MS = 50,  /* how long messages wait at most for their flush */
    WATCH_MS = 10000,   /* how long it is watched for such after the last message */
    MOST_AREAS = 8      /* that who flushes sends: more than a batch has */
};

/* Under the lock: whether what was gathered first waits for a turn, and all else behind it. */
static bool is_held(const jz_redis_queue *queue)
{
    return queue->gathered.first != NULL && queue->gathered.first->turn > queue->settled_turn;
}

/* Under the lock: whether it can wait with the others there. What is sent first does not wait for what comes later. */
static bool may_wait_in(const jz_redis_queue *queue, const jz_redis_piece *piece, uint64_t turn)
{
    return turn <= piece->turn || piece != queue->gathered.first || piece->count == 0;
}

/* Under the lock: the piece that the next command of this size is added to. */
static jz_redis_piece *piece_for(jz_redis_queue *queue, size_t size, uint64_t turn)
{
    jz_redis_piece *piece = queue->gathered.last;
    if (piece != NULL && piece->capacity - piece->length >= size && may_wait_in(queue, piece, turn))
        return jz_redis_piece_has_room(piece) ? piece : NULL;
    if (size <= JZ_REDIS_PIECE_CAPACITY && queue->spare != NULL) {
        piece = queue->spare;
        queue->spare = piece->next;
        queue->spare_count--;
    } else {
        piece = jz_redis_piece_make(size > JZ_REDIS_PIECE_CAPACITY ? size : JZ_REDIS_PIECE_CAPACITY);
    }
    if (piece == NULL)
        return NULL;
    if (!jz_redis_piece_has_room(piece)) {
        jz_redis_piece_free(piece);
        return NULL;
    }
    jz_redis_pieces_append(&queue->gathered, piece);
    return piece;
}

/* The queue */

bool jz_redis_queue_init(jz_redis_queue *queue, uint64_t origin)
{
    queue->published = jz_redis_published_create(origin, JZ_REDIS_PUBLISHED_CAPACITY);
    if (queue->published == NULL)
        return false;
    pthread_mutex_init(&queue->lock, NULL);
    queue->wake_at = SIZE_MAX;
    queue->direct = -1;
    queue->epochs = jz_redis_random();
    return true;
}

void jz_redis_queue_destroy(jz_redis_queue *queue)
{
    if (queue->published == NULL)
        return;
    jz_redis_pieces spare = {.first = queue->spare};
    jz_redis_pieces_free(&spare);
    jz_redis_pieces_free(&queue->gathered);
    jz_redis_pieces_free(&queue->flight);
    jz_redis_pieces_free(&queue->retried);
    jz_redis_published_free(queue->published);
    pthread_mutex_destroy(&queue->lock);
    queue->published = NULL;
}

char *jz_redis_queue_begin(jz_redis_queue *queue, size_t size, uint64_t turn)
{
    jz_redis_piece *piece = piece_for(queue, size, turn);
    if (piece == NULL)
        return NULL;
    if (turn > piece->turn)
        piece->turn = turn;
    return piece->bytes + piece->length;
}

void jz_redis_queue_add(jz_redis_queue *queue, size_t size, const jz_redis_queued *entry)
{
    jz_redis_piece *piece = queue->gathered.last;
    piece->length += size;
    piece->queued[piece->count] = *entry;
    piece->queued[piece->count++].end = piece->length;
    queue->gathered_bytes += size;
    queue->bytes += jz_redis_queue_weight(size);
    queue->messages++;
}

/* Under the lock. False: no memory. */
static bool gather(jz_redis_queue *queue, const jz_redis_publish *plan, const jz_redis_queued *entry, uint64_t turn)
{
    char *to = jz_redis_queue_begin(queue, plan->size, turn);
    if (to == NULL)
        return false;
    jz_redis_publish_write(queue->prefix, queue->prefix_length, plan, to);
    jz_redis_queue_add(queue, plan->size, entry);
    return true;
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
    jz_redis_publish plan = {.topic = topic,
                             .topic_length = publishing->topic_length,
                             .header = header,
                             .header_length = jz_redis_envelope_write(&envelope, header),
                             .bytes = publishing->bytes,
                             .length = publishing->length};
    jz_redis_queued entry = {.publication = publication, .number = envelope.sequence, .kind = JZ_REDIS_QUEUED_MESSAGE};
    if (!queue->is_closed && jz_redis_publish_plan(queue->prefix_length, &plan) && queue->bytes <= queue->limit &&
        jz_redis_queue_weight(plan.size) <= queue->limit - queue->bytes &&
        gather(queue, &plan, &entry, publishing->turn))
        return true;
    jz_redis_published_lost(queue->published, publication, envelope.sequence);
    return false;
}

/*
 * Redis sends what there is for its clients to those first that had something last: to the publisher his answer, which
 * nobody waits for, before the subscribers get the message. The answer to a question in front of it makes the publisher
 * the last one (10 µs for the message), and tells at once where Redis is no master any more.
 */
static void ask_first(jz_redis_queue *queue)
{
    static const char question[] = "*1\r\n$4\r\nROLE\r\n";
    if (queue->careful == 0)
        (void)jz_redis_queue_ask(queue, JZ_REDIS_QUEUED_ROLE, question, sizeof question - 1);
}

/*
 * Under the lock, where the broker's thread sleeps and nothing is outstanding: sends what was gathered. False: it was
 * not sent as a whole, so that the thread is needed.
 */
static bool send_directly(jz_redis_queue *queue)
{
    struct iovec areas[MOST_AREAS];
    jz_redis_flight_take(queue);
    ask_first(queue);
    struct msghdr message = {.msg_iov = areas,
                             .msg_iovlen = (jz_redis_area_count)jz_redis_queue_areas(queue, areas, MOST_AREAS)};
    ssize_t sent = sendmsg(queue->direct, &message, JZ_REDIS_SEND_FLAGS);
    if (sent > 0)
        jz_redis_queue_sent(queue, (size_t)sent);
    queue->direct = -1;
    queue->wake_at = queue->batch;
    return queue->sending == NULL;
}

/* Under the lock: the thread is woken, and takes over. */
static void wake(jz_redis_queue *queue)
{
    queue->wake_at = SIZE_MAX;
    queue->direct = -1;
}

/* Under the lock: whether to ring at once. What was dropped is to be announced. */
static bool must_ring_at_once(jz_redis_queue *queue, bool is_queued)
{
    bool is_due = queue->gathered_bytes >= queue->wake_at || (!is_queued && queue->wake_at != SIZE_MAX);
    if (!is_due)
        return false;
    if (is_queued && queue->is_watched && queue->gathered_bytes < queue->batch) {
        atomic_store_explicit(&queue->must_flush, true, memory_order_relaxed);
        return false;
    }
    wake(queue);
    return true;
}

bool jz_redis_queue_must_ring(jz_redis_queue *queue)
{
    return must_ring_at_once(queue, true);
}

bool jz_redis_queue_publish(jz_redis_queue *queue, const jz_redis_publishing *publishing)
{
    uint64_t now_ms = jz_redis_now_ms();
    pthread_mutex_lock(&queue->lock);
    queue->published_ms = now_ms;
    bool is_queued = publish(queue, publishing, now_ms);
    bool must_ring = must_ring_at_once(queue, is_queued);
    pthread_mutex_unlock(&queue->lock);
    if (must_ring)
        jz_redis_bell_ring(queue->bell);
    if (!is_queued)
        jz_redis_queue_count_dropped(queue);
    return is_queued;
}

/* Under the lock: whether to ring. */
static bool flush(jz_redis_queue *queue)
{
    atomic_store_explicit(&queue->must_flush, false, memory_order_relaxed);
    /* The thread may have woken meanwhile, and another may have sent it. */
    if (queue->gathered_bytes == 0 || queue->gathered_bytes < queue->wake_at)
        return false;
    if (queue->direct >= 0 && !is_held(queue) && send_directly(queue))
        return false;
    wake(queue);
    return true;
}

void jz_redis_queue_flush(jz_redis_queue *queue)
{
    if (!atomic_load_explicit(&queue->must_flush, memory_order_relaxed))
        return;
    pthread_mutex_lock(&queue->lock);
    bool must_ring = flush(queue);
    pthread_mutex_unlock(&queue->lock);
    if (must_ring)
        jz_redis_bell_ring(queue->bell);
}

/* Announcements */

/* Under the lock. False: no memory. */
static bool gather_announcement(jz_redis_queue *queue, const char *topic, size_t topic_length,
                                const jz_redis_envelope *envelope, const jz_redis_queued *entry)
{
    uint8_t header[JZ_REDIS_ANNOUNCEMENT_SIZE];
    jz_redis_publish plan = {.topic = topic,
                             .topic_length = topic_length,
                             .header = header,
                             .header_length = jz_redis_envelope_write(envelope, header)};
    return jz_redis_publish_plan(queue->prefix_length, &plan) && gather(queue, &plan, entry, 0);
}

/* Under the lock: not more than half of the queue at a time, so that messages find room. */
static void announce(jz_redis_queue *queue, uint64_t now_ms)
{
    jz_redis_envelope envelope;
    jz_redis_publication *publication;
    if (jz_redis_published_is_lost_any_due(queue->published) && queue->bytes <= queue->limit / 2) {
        jz_redis_published_take_lost_any(queue->published, now_ms, &envelope);
        jz_redis_queued entry = {.kind = JZ_REDIS_QUEUED_LOST_ANY};
        if (!gather_announcement(queue, NULL, 0, &envelope, &entry)) {
            jz_redis_published_lost_any(queue->published);
            queue->announces_ms = now_ms + NO_MEMORY_MS;
        }
    }
    while (jz_redis_published_announcements_due(queue->published) > 0 && queue->bytes <= queue->limit / 2 &&
           (publication = jz_redis_published_next_announcement(queue->published, now_ms, &envelope)) != NULL) {
        jz_redis_queued entry = {
            .publication = publication, .number = envelope.lost_from, .kind = JZ_REDIS_QUEUED_ANNOUNCEMENT};
        if (gather_announcement(queue, publication->entry.name, publication->entry.length, &envelope, &entry))
            continue;
        jz_redis_published_lost(queue->published, publication, envelope.lost_from);
        queue->announces_ms = now_ms + NO_MEMORY_MS;
        break;
    }
}

static bool is_announcement_due(const jz_redis_queue *queue)
{
    return jz_redis_published_announcements_due(queue->published) > 0 ||
           jz_redis_published_is_lost_any_due(queue->published);
}

/* The broker's thread */

/* What gathered bytes suffice to be sent now. */
static size_t needed(const jz_redis_queue *queue, bool is_up)
{
    if (!is_up || queue->sending != NULL || queue->retried.first != NULL || is_held(queue))
        return SIZE_MAX;
    return queue->awaiting == NULL ? 1 : queue->batch;
}

void jz_redis_queue_advance(jz_redis_queue *queue, bool is_up, uint64_t now_ms)
{
    pthread_mutex_lock(&queue->lock);
    jz_redis_flight_settle(queue);
    if (queue->retried.first != NULL && queue->awaiting == NULL)
        jz_redis_queue_send_retried(queue);
    if (is_up && now_ms >= queue->announces_ms && is_announcement_due(queue))
        announce(queue, now_ms);
    if (queue->gathered_bytes >= needed(queue, is_up))
        jz_redis_flight_take(queue);
    pthread_mutex_unlock(&queue->lock);
}

bool jz_redis_queue_sleep(jz_redis_queue *queue, bool is_up, int descriptor, uint64_t now_ms, uint64_t *look_ms)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_watched = now_ms - queue->published_ms < WATCH_MS;
    *look_ms = queue->is_watched ? now_ms + UNFLUSHED_MS : UINT64_MAX;
    queue->wake_at = needed(queue, is_up);
    bool may_sleep = queue->gathered_bytes < queue->wake_at;
    if (!may_sleep)
        queue->wake_at = SIZE_MAX;
    else if (queue->wake_at == 1)
        queue->direct = descriptor;
    pthread_mutex_unlock(&queue->lock);
    return may_sleep;
}

void jz_redis_queue_wake(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    wake(queue);
    pthread_mutex_unlock(&queue->lock);
}

void jz_redis_queue_reconnected(jz_redis_queue *queue, uint64_t since_ms, uint64_t until_ms)
{
    pthread_mutex_lock(&queue->lock);
    jz_redis_published_reconnected(queue->published, since_ms, until_ms);
    pthread_mutex_unlock(&queue->lock);
    queue->announces_ms = 0;
}

uint64_t jz_redis_queue_settle_turns(jz_redis_queue *queue, uint64_t turn)
{
    pthread_mutex_lock(&queue->lock);
    queue->settled_turn = turn;
    uint64_t held = is_held(queue) ? queue->gathered.first->turn : 0;
    pthread_mutex_unlock(&queue->lock);
    return held;
}

size_t jz_redis_queue_announcements(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = jz_redis_published_announcements_due(queue->published);
    pthread_mutex_unlock(&queue->lock);
    return count;
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
    jz_redis_flight_settle(queue);
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
