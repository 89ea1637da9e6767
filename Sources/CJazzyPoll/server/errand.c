#include "errand.h"

#include <stdlib.h>
#include <string.h>

typedef enum errand_type { ERRAND_SEND, ERRAND_CLOSE } errand_type;

typedef struct errand {
    jz_letter letter; /* first, so that a letter is its errand */
    jz_ws ws;
    errand_type type;
    jz_message_kind kind;
    jz_compression compression;
    uint16_t code;
    size_t length;
    uint8_t bytes[];
} errand;

static jz_send_status post(jz_shard *shard, const errand *fields, const void *bytes)
{
    if (fields->length > SIZE_MAX - sizeof *fields)
        return JZ_SEND_DROPPED;
    errand *copy = malloc(sizeof *fields + fields->length);
    if (copy == NULL)
        return JZ_SEND_DROPPED;
    memcpy(copy, fields, sizeof *fields);
    if (fields->length > 0)
        memcpy(copy->bytes, bytes, fields->length);
    jz_loop_post(&shard->loop, &copy->letter);
    return JZ_SEND_QUEUED;
}

jz_send_status jz_errand_send(jz_shard *shard, jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                              jz_compression compression)
{
    const errand fields = {.ws = ws, .type = ERRAND_SEND, .kind = kind, .compression = compression, .length = length};
    return post(shard, &fields, bytes);
}

jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, uint16_t code, const char *reason, size_t length)
{
    const errand fields = {.ws = ws, .type = ERRAND_CLOSE, .code = code, .length = length};
    return post(shard, &fields, reason);
}

void jz_errand_run(jz_shard *shard, jz_letter *letter)
{
    errand *task = (errand *)letter;
    jz_connection *connection = jz_slots_find(&shard->slots, task->ws);
    if (connection != NULL && task->type == ERRAND_SEND)
        jz_connection_send(shard, connection, task->kind, task->bytes, task->length, task->compression);
    else if (connection != NULL)
        jz_connection_close(shard, connection, task->code, (const char *)task->bytes, task->length);
    free(task);
}

void jz_errand_discard_all(jz_mailbox *mailbox)
{
    jz_letter *letter = jz_mailbox_take_all(mailbox);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        free(letter);
        letter = next;
    }
}
