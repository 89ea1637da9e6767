#include "shard/incidents.h"

#include <assert.h>
#include <string.h>

#include "jazzy/log.h"
#include "loop/timer.h"

void jz_incidents_init(jz_incidents *incidents)
{
    memset(incidents, 0, sizeof *incidents);
    pthread_mutex_init(&incidents->lock, NULL);
}

void jz_incidents_destroy(jz_incidents *incidents)
{
    pthread_mutex_destroy(&incidents->lock);
}

void jz_incidents_note(jz_incidents *incidents, const jz_happening *happening)
{
    const uint64_t now_ms = jz_wall_clock_ms();
    pthread_mutex_lock(&incidents->lock);
    /* With the lock, so that a loop's numbers are in the same order. */
    const uint64_t now_ns = jz_clock_ns();
    uint64_t number = incidents->counts[happening->kind]++;
    jz_kept_incident *kept = &incidents->kept[happening->kind][number % JZ_KEPT_INCIDENTS];
    kept->time_ms = now_ms;
    kept->clock_ns = now_ns;
    kept->reason = happening->reason;
    kept->route = happening->route;
    kept->peer = *happening->peer;
    kept->close_code = happening->close_code;
    jz_log_escape(happening->text, strlen(happening->text), kept->text, sizeof kept->text);
    pthread_mutex_unlock(&incidents->lock);
}

uint64_t jz_incidents_count(jz_incidents *incidents, jz_incident_kind kind)
{
    pthread_mutex_lock(&incidents->lock);
    uint64_t count = incidents->counts[kind];
    pthread_mutex_unlock(&incidents->lock);
    return count;
}

static void copy(const jz_kept_incident *kept, jz_incident *incident)
{
    incident->time_ms = kept->time_ms;
    incident->clock_ns = kept->clock_ns;
    incident->reason = kept->reason;
    incident->route = kept->route;
    incident->close_code = kept->close_code;
    memcpy(incident->text, kept->text, sizeof incident->text);
    jz_address_format(&kept->peer, incident->address, sizeof incident->address);
}

bool jz_incidents_find(jz_incidents *incidents, jz_incident_kind kind, uint64_t number, jz_incident *incident)
{
    jz_kept_incident kept;
    pthread_mutex_lock(&incidents->lock);
    uint64_t count = incidents->counts[kind];
    bool is_kept = number > 0 && number <= count && count - number < JZ_KEPT_INCIDENTS;
    if (is_kept)
        kept = incidents->kept[kind][(number - 1) % JZ_KEPT_INCIDENTS];
    pthread_mutex_unlock(&incidents->lock);
    if (!is_kept)
        return false;
    incident->kind = kind;
    incident->number = number;
    copy(&kept, incident);
    return true;
}

static const char *const names[] = {
    [JZ_INCIDENT_REFUSED] = "refused",
    [JZ_INCIDENT_FAILED] = "failed",
    [JZ_INCIDENT_CLOSED] = "closed",
    [JZ_INCIDENT_LOST] = "lost",
};
static_assert(sizeof names / sizeof names[0] == JZ_INCIDENT_KINDS, "each kind has a name");

const char *jz_incident_kind_name(jz_incident_kind kind)
{
    size_t row = (size_t)kind;
    return row < JZ_INCIDENT_KINDS ? names[row] : "unknown";
}
