/*
 * What is published to topics with history, which Redis keeps: in the queue with all else, but as the call of a script.
 *
 * Redis has to run these in their order. It may forget the script at any time (SCRIPT FLUSH), and get it again from
 * another process while some of ours are on their way: then the first ones are refused, and later ones are not. So each
 * says which number its topic has had before, and is refused out of turn. What was refused for either reason is sent
 * again, in its order, once all that is on its way is answered.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "history/scripts.h"
#include "link/clock.h"
#include "link/queue.h"

enum { MOST_RETRIES = 4 /* of one message, until it is given up */ };

/* Under the lock. False: no memory. */
static bool gather_script(jz_redis_queue *queue)
{
    if (queue->has_script)
        return true;
    size_t size = jz_redis_load_write(NULL);
    char *to = jz_redis_queue_begin(queue, size, 0);
    if (to == NULL)
        return false;
    jz_redis_load_write(to);
    jz_redis_queue_add(queue, size, &(jz_redis_queued){.kind = JZ_REDIS_QUEUED_SCRIPT});
    queue->has_script = true;
    return true;
}

/* Under the lock. False: no memory; then the number that it would have had is nobody's. */
static bool gather(jz_redis_queue *queue, const jz_redis_publishing *publishing, jz_redis_publication *publication,
                   const jz_redis_script_call *call, size_t size, uint64_t sequence)
{
    char *to = gather_script(queue) ? jz_redis_queue_begin(queue, size, publishing->turn) : NULL;
    if (to == NULL) {
        jz_redis_published_answered(queue->published, publication);
        return false;
    }
    jz_redis_keep_write(queue->prefix, queue->prefix_length, call, to);
    jz_redis_queue_add(
        queue, size, &(jz_redis_queued){.publication = publication, .number = sequence, .kind = JZ_REDIS_QUEUED_KEPT});
    publication->kept = sequence;
    return true;
}

/* Under the lock. What does not fit takes no number: nobody gets it, so nobody has missed it. */
static bool keep(jz_redis_queue *queue, const jz_redis_publishing *publishing, uint64_t now_ms)
{
    uint8_t header[JZ_REDIS_ENVELOPE_MOST] = {0};
    jz_redis_envelope envelope = {.kind = publishing->kind, .publisher = publishing->publisher};
    jz_redis_script_call call = {.topic = publishing->topic_length > 0 ? publishing->topic : "",
                                 .topic_length = publishing->topic_length,
                                 .header = header,
                                 .header_length = jz_redis_envelope_write(&envelope, header),
                                 .bytes = publishing->bytes,
                                 .length = publishing->length,
                                 .bounds = publishing->bounds};
    size_t size;
    if (queue->is_closed || !jz_redis_keep_plan(queue->prefix_length, &call, &size) || queue->bytes > queue->limit ||
        jz_redis_queue_weight(size) > queue->limit - queue->bytes)
        return false;
    jz_redis_publication *publication =
        jz_redis_published_take(queue->published, call.topic, call.topic_length, now_ms, &envelope);
    if (publication == NULL)
        return false;
    (void)jz_redis_envelope_write(&envelope, header);
    call.before = publication->kept;
    call.epoch = jz_redis_next_epoch(&queue->epochs);
    return gather(queue, publishing, publication, &call, size, envelope.sequence);
}

bool jz_redis_queue_keep(jz_redis_queue *queue, const jz_redis_publishing *publishing)
{
    uint64_t now_ms = jz_redis_now_ms();
    pthread_mutex_lock(&queue->lock);
    queue->published_ms = now_ms;
    bool is_queued = keep(queue, publishing, now_ms);
    bool must_ring = is_queued && jz_redis_queue_must_ring(queue);
    pthread_mutex_unlock(&queue->lock);
    if (must_ring)
        jz_redis_bell_ring(queue->bell);
    if (!is_queued)
        jz_redis_queue_count_dropped(queue);
    return is_queued;
}

/* A copy of a command in a piece of its own. NULL: no memory. */
static jz_redis_piece *copy_command(const jz_redis_piece *piece, size_t place)
{
    size_t start = place > 0 ? piece->queued[place - 1].end : 0;
    size_t size = piece->queued[place].end - start;
    jz_redis_piece *copy = jz_redis_piece_make(size);
    if (copy == NULL || !jz_redis_piece_has_room(copy)) {
        if (copy != NULL)
            jz_redis_piece_free(copy);
        return NULL;
    }
    memcpy(copy->bytes, piece->bytes + start, size);
    copy->length = size;
    copy->queued[copy->count] = piece->queued[place];
    copy->queued[copy->count].retries++;
    copy->queued[copy->count++].end = size;
    return copy;
}

bool jz_redis_queue_retry(jz_redis_queue *queue, bool is_script_missing)
{
    jz_redis_piece *piece = queue->awaiting;
    jz_redis_queued *entry = &piece->queued[piece->answered];
    if (entry->end > piece->sent || entry->retries >= MOST_RETRIES)
        return jz_redis_queue_refused(queue);
    jz_redis_piece *copy = copy_command(piece, piece->answered);
    if (copy == NULL)
        return jz_redis_queue_refused(queue);
    /* What came before it was refused for good, or Redis has forgotten it. */
    if (entry->retries > 0 && !is_script_missing)
        jz_redis_keep_forget_before(copy->bytes + copy->length);
    jz_redis_pieces_append(&queue->retried, copy);
    queue->is_script_missing = queue->is_script_missing || is_script_missing;
    /* What is counted for it stays, and goes with the copy. */
    pthread_mutex_lock(&queue->lock);
    queue->bytes += jz_redis_queue_weight(copy->length);
    queue->messages++;
    entry->publication = NULL;
    entry->kind = JZ_REDIS_QUEUED_SCRIPT;
    pthread_mutex_unlock(&queue->lock);
    return jz_redis_queue_answered(queue);
}

void jz_redis_queue_send_retried(jz_redis_queue *queue)
{
    jz_redis_pieces_prepend(&queue->flight, &queue->retried);
    queue->sending = queue->awaiting = queue->flight.first;
    /* Without memory for it they are refused again. */
    if (queue->is_script_missing)
        (void)jz_redis_queue_load_script(queue);
    queue->is_script_missing = false;
}

bool jz_redis_queue_needs_script(jz_redis_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool needs_script = queue->has_script;
    pthread_mutex_unlock(&queue->lock);
    return needs_script;
}

bool jz_redis_queue_load_script(jz_redis_queue *queue)
{
    size_t size = jz_redis_load_write(NULL);
    char *to = jz_redis_queue_ask_for(queue, JZ_REDIS_QUEUED_SCRIPT_AGAIN, 0, size);
    if (to != NULL)
        jz_redis_load_write(to);
    return to != NULL;
}
