/* The page with a server's metrics. */
#ifndef JAZZY_SERVER_METRICS_PAGE_H
#define JAZZY_SERVER_METRICS_PAGE_H

#include "server/exposition.h"

/* The format that a client prefers, according to one field of Accept; Prometheus's if both are alike. */
jz_exposition_format jz_metrics_format_for(jz_text accept);

#endif
