/* The metrics of members of topics: which there are, and what is said of them. */
#ifndef JAZZY_SERVER_PRESENCE_METRICS_H
#define JAZZY_SERVER_PRESENCE_METRICS_H

#include <stdbool.h>

#include "jazzy/presence.h"
#include "server/exposition.h"

/* Of members on other servers nothing is said unless a broker joins some. */
void jz_presence_metrics_write(jz_exposition *exposition, const jz_presence_statistics *now, bool has_broker);

#endif
