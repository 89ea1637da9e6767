/* The one table of the causes for which a connection ends. */
#include <assert.h>
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
    [JZ_CAUSE_MESSAGE_RATE] = "the peer sent more messages than it may",
};

const char *jz_close_cause_text(jz_close_cause cause)
{
    size_t row = (size_t)cause;
    return row < sizeof texts / sizeof texts[0] ? texts[row] : "it is not known why";
}

static const char *const names[] = {
    [JZ_CAUSE_PEER] = "peer",       [JZ_CAUSE_APPLICATION] = "application",   [JZ_CAUSE_BACKPRESSURE] = "backpressure",
    [JZ_CAUSE_IDLE] = "idle",       [JZ_CAUSE_LIFETIME] = "lifetime",         [JZ_CAUSE_STOPPING] = "stopping",
    [JZ_CAUSE_FAILURE] = "failure", [JZ_CAUSE_MESSAGE_RATE] = "message_rate",
};
static_assert(sizeof names / sizeof names[0] == JZ_CAUSE_COUNT, "each cause has a name");

const char *jz_close_cause_name(jz_close_cause cause)
{
    size_t row = (size_t)cause;
    return row < JZ_CAUSE_COUNT ? names[row] : "unknown";
}
