#include "channel/input.h"

#include <stdlib.h>
#include <string.h>

static void break_for_memory(jz_tls_channel *channel)
{
    channel->is_broken = true;
    jz_tls_blame(channel, "there is no memory for its input");
}

/* As many as the present record will have, so that it is copied once, in however small pieces it comes. */
static size_t capacity_for(const jz_tls_channel *channel, const jz_tls_kept *kept, size_t needed)
{
    size_t record;
    if (kept == NULL || kept->length < JZ_TLS_HEADER ||
        jz_tls_look_at_header(channel->records, kept->bytes, &record) != JZ_TLS_FINE)
        return needed;
    return record > needed ? record : needed;
}

void jz_tls_keep(jz_tls_channel *channel, const uint8_t *bytes, size_t length)
{
    jz_tls_kept *kept = channel->kept;
    size_t needed = (kept != NULL ? kept->length : 0) + length;
    if (length == 0)
        return;
    if (kept == NULL || needed > kept->capacity) {
        size_t capacity = capacity_for(channel, kept, needed);
        jz_tls_kept *grown = realloc(kept, sizeof *grown + capacity);
        if (grown == NULL) {
            break_for_memory(channel);
            return;
        }
        if (kept == NULL)
            grown->length = 0;
        grown->capacity = capacity;
        channel->kept = kept = grown;
    }
    memcpy(kept->bytes + kept->length, bytes, length);
    kept->length += length;
}

void jz_tls_keep_only(jz_tls_channel *channel, const uint8_t *bytes, size_t length)
{
    free(channel->kept);
    channel->kept = NULL;
    jz_tls_keep(channel, bytes, length);
}

bool jz_tls_has_whole_record(const jz_tls_channel *channel)
{
    const jz_tls_kept *kept = channel->kept;
    size_t record;
    if (kept == NULL || kept->length < JZ_TLS_HEADER)
        return false;
    return jz_tls_look_at_header(channel->records, kept->bytes, &record) != JZ_TLS_FINE || record <= kept->length;
}

void jz_tls_spill_data(jz_tls_channel *channel, const uint8_t *bytes, size_t length)
{
    jz_tls_spill *spill = malloc(sizeof *spill + length);
    if (spill == NULL) {
        break_for_memory(channel);
        return;
    }
    *spill = (jz_tls_spill){.length = length};
    memcpy(spill->bytes, bytes, length);
    channel->spill = spill;
}

size_t jz_tls_take_spilled(jz_tls_channel *channel, uint8_t *bytes, size_t capacity)
{
    jz_tls_spill *spill = channel->spill;
    size_t length = spill->length - spill->taken < capacity ? spill->length - spill->taken : capacity;
    memcpy(bytes, spill->bytes + spill->taken, length);
    spill->taken += length;
    if (spill->taken == spill->length) {
        free(spill);
        channel->spill = NULL;
    }
    return length;
}
