#include "shard/farewell.h"

#include <string.h>

#include "session/frame_writer.h"

enum { NOT_WRITTEN, BEING_WRITTEN, WRITTEN };

void jz_farewell_write(jz_farewell *farewell, uint16_t code, jz_text reason)
{
    int progress = NOT_WRITTEN;
    if (!atomic_compare_exchange_strong(&farewell->progress, &progress, BEING_WRITTEN))
        return;
    farewell->code = code;
    farewell->reason_length = (uint8_t)jz_fitting_reason_length(reason.start, reason.length);
    if (farewell->reason_length > 0)
        memcpy(farewell->reason, reason.start, farewell->reason_length);
    atomic_store(&farewell->progress, WRITTEN);
}

bool jz_farewell_is_written(const jz_farewell *farewell)
{
    return atomic_load(&farewell->progress) == WRITTEN;
}
