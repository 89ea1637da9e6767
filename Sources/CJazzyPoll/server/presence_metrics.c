#include "server/presence_metrics.h"

#include <stddef.h>

static void add(jz_exposition *exposition, const char *name, jz_metric_type type, const char *help, uint64_t value)
{
    jz_exposition_begin(exposition, name, type, help);
    jz_exposition_add(exposition, NULL, 0, value);
}

void jz_presence_metrics_write(jz_exposition *exposition, const jz_presence_statistics *now, bool has_broker)
{
    add(exposition, "jazzy_presence_topics", JZ_METRIC_GAUGE, "Topics that have members.", now->topics);
    add(exposition, "jazzy_presence_members", JZ_METRIC_GAUGE, "Members of topics.", now->members);
    add(exposition, "jazzy_presence_bytes", JZ_METRIC_GAUGE, "What members take.", now->bytes);
    if (!has_broker)
        return;
    add(exposition, "jazzy_presence_servers", JZ_METRIC_GAUGE, "Other servers whose members are known.", now->servers);
    add(exposition, "jazzy_presence_members_elsewhere", JZ_METRIC_GAUGE,
        "Members on these, once for each server and topic.", now->members_elsewhere);
    add(exposition, "jazzy_presence_not_kept", JZ_METRIC_COUNTER,
        "How often one of these, or a message about them, found no room.", now->not_kept);
    add(exposition, "jazzy_presence_malformed", JZ_METRIC_COUNTER, "Messages about members that no server has sent.",
        now->malformed);
}
