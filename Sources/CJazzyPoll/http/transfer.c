#include "http/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shard/server.h"

static jz_transfer *transfer_of(jz_parcel *parcel)
{
    return (jz_transfer *)(void *)((char *)parcel - offsetof(jz_transfer, parcel));
}

static void free_transfer(jz_transfer *transfer)
{
    jz_file_answer_free(&transfer->answer);
    jz_buffer_free(&transfer->piece);
    free(transfer);
}

/* On the loop. */
static void take(jz_shard *shard, jz_parcel *parcel)
{
    jz_transfer *transfer = transfer_of(parcel);
    transfer->is_away = false;
    if (transfer->is_over)
        free_transfer(transfer);
    else /* the connection has it, and so is there */
        jz_turn_mark_dirty(&shard->turn, jz_slots_find(&shard->slots, transfer->ws));
}

static void discard(jz_parcel *parcel)
{
    free_transfer(transfer_of(parcel));
}

static void read_piece(jz_transfer *transfer)
{
    jz_file_answer *answer = &transfer->answer;
    size_t length = answer->left < JZ_FILE_PIECE ? (size_t)answer->left : JZ_FILE_PIECE;
    transfer->result = JZ_FILE_OK;
    if (answer->file.descriptor < 0)
        return;
    if (!jz_buffer_reserve(&transfer->piece, length, JZ_FILE_PIECE)) {
        transfer->result = JZ_FILE_EXHAUSTED;
        transfer->reason = ENOMEM;
        return;
    }
    transfer->result = jz_file_read(&answer->file, answer->position, transfer->piece.bytes, length);
    transfer->reason = errno;
    if (transfer->result != JZ_FILE_OK)
        return;
    transfer->piece.length = length;
    answer->position += length;
}

/*
 * With the first piece. A file that is just being replaced is looked at once more. One that was changed just now comes
 * back before it is read, and waits on the loop: a reading thread would have others wait.
 */
static void open_file(jz_transfer *transfer)
{
    enum { TRIES = 2 };
    jz_file_answer *answer = &transfer->answer;
    while (transfer->tries < TRIES) {
        if (!transfer->has_settled) {
            jz_file_answer_free(answer);
            if (!jz_file_answer_open(answer, transfer->files, transfer->path))
                break;
            transfer->has_settled = true;
            transfer->settles_in = jz_file_settles_in_ms(&answer->file);
            if (transfer->settles_in > 0)
                return;
        }
        jz_file_answer_make(answer, transfer->files, transfer->path, (jz_text){transfer->head, transfer->head_length},
                            transfer->packed);
        read_piece(transfer);
        transfer->has_settled = false;
        transfer->tries++;
        if (transfer->result != JZ_FILE_CHANGED)
            break;
    }
    transfer->is_opened = true;
}

/* On a reading thread. */
static void run(jz_task *task)
{
    jz_transfer *transfer = (jz_transfer *)task;
    jz_workers *readers = transfer->readers;
    pthread_mutex_unlock(&readers->lock);
    if (transfer->is_opened)
        read_piece(transfer);
    else
        open_file(transfer);
    jz_errand_post_parcel(transfer->letter);
    pthread_mutex_lock(&readers->lock);
}

jz_transfer *jz_transfer_create(jz_shard *shard, jz_ws ws, const jz_files *files, const jz_text *path, jz_text head)
{
    size_t path_size = path != NULL ? path->length + 1 : 0;
    jz_transfer *transfer = calloc(1, sizeof *transfer + head.length + path_size);
    if (transfer == NULL)
        return NULL;
    transfer->task.run = run;
    transfer->parcel = (jz_parcel){.take = take, .discard = discard};
    transfer->readers = &shard->server->readers;
    transfer->packed = shard->server->packed;
    transfer->ws = ws;
    transfer->files = files;
    transfer->answer.file.descriptor = -1;
    transfer->head_length = head.length;
    memcpy(transfer->head, head.start, head.length);
    if (path != NULL && path->length > 0)
        memcpy(transfer->head + head.length, path->start, path->length);
    if (path != NULL)
        transfer->path = transfer->head + head.length;
    return transfer;
}

bool jz_transfer_send_away(jz_transfer *transfer)
{
    transfer->letter = jz_errand_create_parcel(transfer->ws, &transfer->parcel);
    if (transfer->letter == NULL)
        return false;
    transfer->is_away = true;
    jz_workers_add(transfer->readers, &transfer->task);
    return true;
}

void jz_transfer_end(jz_transfer *transfer)
{
    transfer->is_over = true;
    if (!transfer->is_away)
        free_transfer(transfer);
}
