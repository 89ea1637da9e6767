/*
 * What a request for a file is answered: the file is opened, and the request judged by what is there. On a reading
 * thread.
 */
#ifndef JAZZY_HTTP_FILE_ANSWER_H
#define JAZZY_HTTP_FILE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/text.h"
#include "http/opened_file.h"
#include "output/publication.h"
#include "session/buffer.h"
#include "shard/packed.h"

typedef struct jz_file_answer {
    int status;               /* 200, 206, 304, 412, 416; otherwise an error, without what follows: */
    jz_file_result result;    /* of opening or reading the file, */
    int reason;               /* and errno, if that says more */
    const char *content_type; /* NULL: no content */
    jz_buffer headers;        /* whole lines */
    uint64_t length;          /* of the content */
    jz_opened_file file;      /* from which it comes; its descriptor is -1 if it comes from */
    jz_publication *packed;   /* here, retained; NULL: it does not */
    uint64_t position;        /* in the file, of what is to be read next */
    uint64_t left;            /* how much of the content is not read yet */
} jz_file_answer;

/*
 * Opens the file; what was in `answer` was freed. `path`: within the folder, NUL-terminated; of a single file NULL.
 * False: there is none to be read, and the answer is complete.
 */
bool jz_file_answer_open(jz_file_answer *answer, const jz_files *files, const char *path);

/* Judges the request by the file that was opened. `head`: the request's, as it came. */
void jz_file_answer_make(jz_file_answer *answer, const jz_files *files, const char *path, jz_text head,
                         jz_packed *packed);

/* Frees what it has. */
void jz_file_answer_free(jz_file_answer *answer);

#endif
