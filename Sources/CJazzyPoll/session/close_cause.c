/* The one table of the causes for which a connection ends. */
#include <stddef.h>

#include "jazzy/event.h"

static const char *const texts[] = {
    [JZ_CAUSE_PEER] = "the peer closed it, or went away",
    [JZ_CAUSE_APPLICATION] = "the application closed it",
    [JZ_CAUSE_BACKPRESSURE] = "too much output waited",
    [JZ_CAUSE_IDLE] = "nothing came from the peer for too long",
    [JZ_CAUSE_LIFETIME] = "it reached its maximum lifetime",
    [JZ_CAUSE_STOPPING] = "the server stops",
    [JZ_CAUSE_FAILURE] = "it failed",
};

const char *jz_close_cause_text(jz_close_cause cause)
{
    size_t row = (size_t)cause;
    return row < sizeof texts / sizeof texts[0] ? texts[row] : "it is not known why";
}
