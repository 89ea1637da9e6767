#include "session/compressor.h"

#include <stdlib.h>

enum { SYNC_FLUSH_TAIL = 4 }; /* 00 00 FF FF, which is not sent (RFC 7692 §7.2.1) */

jz_compressor *jz_compressor_create(jz_compressor_parameters parameters)
{
    jz_compressor *compressor = calloc(1, sizeof *compressor);
    if (compressor == NULL)
        return NULL;
    compressor->parameters = parameters;
    if (!jz_deflater_begin(&compressor->deflater, parameters)) {
        free(compressor);
        return NULL;
    }
    return compressor;
}

void jz_compressor_free(jz_compressor *compressor)
{
    if (compressor == NULL)
        return;
    jz_deflater_end(&compressor->deflater);
    jz_buffer_free(&compressor->last_message);
    jz_buffer_free(&compressor->last_compressed);
    free(compressor);
}

void jz_compressor_forget(jz_compressor *compressor)
{
    jz_deflater_forget(&compressor->deflater);
}

bool jz_compressor_run(jz_compressor *compressor, const uint8_t *bytes, size_t length, jz_buffer *output)
{
    output->length = 0;
    bool is_complete = jz_deflater_take(&compressor->deflater, bytes, length, output);
    if (is_complete && output->length >= SYNC_FLUSH_TAIL && output->length - SYNC_FLUSH_TAIL < length) {
        output->length -= SYNC_FLUSH_TAIL;
        return true;
    }
    /* The peer will not receive this, so later messages may not refer to it. */
    jz_compressor_forget(compressor);
    output->length = 0;
    return false;
}
