/*
 * A file on its way to a client: it goes back and forth between the connection's loop and a reading thread, which opens
 * the file, and reads it piece by piece, each when the client has taken the one before.
 */
#ifndef JAZZY_HTTP_TRANSFER_H
#define JAZZY_HTTP_TRANSFER_H

#include <stdbool.h>

#include "config/files.h"
#include "http/file_answer.h"
#include "session/buffer.h"
#include "shard/errand.h"
#include "shard/shard.h"
#include "workers/workers.h"

/* Bytes that are read at once, which is also about what a client costs that takes them slowly. */
enum { JZ_FILE_PIECE = 64 * 1024 };

typedef struct jz_transfer {
    jz_task task;     /* first, so that a pointer to it points to its transfer */
    jz_parcel parcel; /* with which it comes back */
    jz_letter *letter;
    jz_workers *readers;
    jz_packed *packed;
    jz_ws ws;
    const jz_files *files;

    /* The loop's alone: */
    bool is_away;   /* a reading thread has it, or its letter is on the way */
    bool is_over;   /* to be freed when it comes back */
    bool has_begun; /* the head of the response is sent */

    /* The loop's, while it is not away: */
    bool is_opened;      /* and the answer made */
    bool has_settled;    /* it was opened, and since then a change would be seen */
    unsigned settles_in; /* milliseconds, after which it is to be sent away again; 0: that was seen to */
    unsigned tries;
    jz_file_answer answer;
    jz_buffer piece;       /* read, and not sent yet */
    jz_file_result result; /* of reading it */
    int reason;            /* and errno */

    const char *path; /* behind the head; NULL: a single file */
    size_t head_length;
    char head[]; /* of the request, as it came */
} jz_transfer;

/* `path`: within a folder; of a single file NULL. Copies both texts. NULL when there is no memory. */
jz_transfer *jz_transfer_create(jz_shard *shard, jz_ws ws, const jz_files *files, const jz_text *path, jz_text head);

/* Has the file opened, or its next piece read. False when there is no memory. */
bool jz_transfer_send_away(jz_transfer *transfer);

/* The connection needs it no more. */
void jz_transfer_end(jz_transfer *transfer);

#endif
