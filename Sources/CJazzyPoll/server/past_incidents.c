/* The last refusals and failures of a server, from what each loop keeps. */
#include <stdlib.h>

#include "server/looks.h"

/* Not by the time on the wall: where that is set back, what is new would be behind all that is old, and cut off. */
static int compare(const void *left, const void *right)
{
    const jz_incident *a = left;
    const jz_incident *b = right;
    if (a->clock_ns != b->clock_ns)
        return a->clock_ns > b->clock_ns ? -1 : 1;
    if (a->loop != b->loop)
        return a->loop < b->loop ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->number > b->number ? -1 : 1;
}

size_t jz_kept_incidents_of(const jz_server *server)
{
    return (size_t)server->shard_count * JZ_INCIDENT_KINDS * JZ_KEPT_INCIDENTS;
}

/* Those of one kind, the last first; one that is forgotten meanwhile is not there. Returns how many there are. */
static size_t copy_kind(jz_shard *shard, uint32_t loop, jz_incident_kind kind, uint64_t last, jz_incident *incidents)
{
    size_t count = 0;
    for (uint64_t number = last; number > 0 && last - number < JZ_KEPT_INCIDENTS; number--) {
        if (!jz_incidents_find(&shard->incidents, kind, number, &incidents[count]))
            break;
        incidents[count++].loop = loop;
    }
    return count;
}

size_t jz_look_at_incidents(jz_server *server, jz_look *look, jz_incident *incidents)
{
    size_t count = 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        for (int kind = 0; kind < JZ_INCIDENT_KINDS; kind++) {
            jz_shard *shard = &server->shards[i];
            uint64_t last = jz_incidents_count(&shard->incidents, (jz_incident_kind)kind);
            look->incidents_total[kind] += last;
            if (incidents != NULL)
                count += copy_kind(shard, i, (jz_incident_kind)kind, last, &incidents[count]);
        }
    }
    if (count > 0)
        qsort(incidents, count, sizeof *incidents, compare);
    return count;
}
