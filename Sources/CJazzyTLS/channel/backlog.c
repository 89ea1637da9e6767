#include "channel/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "channel/ciphertext.h"

enum { LEAST_CAPACITY = 256 };

static bool make_room(jz_tls_channel *channel, size_t length)
{
    jz_tls_backlog *backlog = channel->backlog;
    size_t used = backlog != NULL ? backlog->length : 0;
    if (backlog != NULL && length <= backlog->capacity - used)
        return true;
    if (length > SIZE_MAX / 4 - used)
        return false;
    size_t capacity = used + length > LEAST_CAPACITY ? used + length : LEAST_CAPACITY;
    if (backlog != NULL && capacity < used * 2)
        capacity = used * 2;
    jz_tls_backlog *grown = realloc(backlog, sizeof *grown + capacity);
    if (grown == NULL)
        return false;
    if (backlog == NULL)
        *grown = (jz_tls_backlog){0};
    grown->capacity = capacity;
    channel->backlog = grown;
    return true;
}

void jz_tls_backlog_add(jz_tls_channel *channel, const uint8_t *bytes, size_t length)
{
    if (!make_room(channel, length)) {
        channel->is_broken = true;
        jz_tls_blame(channel, "there is no memory for output that its peer does not take");
        return;
    }
    jz_tls_backlog *backlog = channel->backlog;
    memcpy(backlog->bytes + backlog->length, bytes, length);
    backlog->length += length;
}

static void accept_records(jz_tls_channel *channel)
{
    jz_tls_backlog *backlog = channel->backlog;
    while (backlog->accepted_count < backlog->record_count &&
           backlog->records[backlog->accepted_count].end <= backlog->sent)
        channel->accepted += backlog->records[backlog->accepted_count++].length;
}

void jz_tls_backlog_flush(jz_tls_channel *channel)
{
    jz_tls_backlog *backlog = channel->backlog;
    if (backlog == NULL || channel->is_broken)
        return;
    backlog->sent += jz_tls_write_socket(channel, backlog->bytes + backlog->sent, backlog->length - backlog->sent);
    accept_records(channel);
    if (backlog->sent < backlog->length)
        return;
    free(backlog);
    channel->backlog = NULL;
}
