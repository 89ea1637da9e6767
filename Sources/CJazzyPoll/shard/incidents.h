/*
 * The last refusals and failures of a shard's connections, for an operator who looks (include/jazzy/insight.h). A ring
 * for each kind, so that many of one kind hide none of another. Nothing here happens for a message.
 */
#ifndef JAZZY_SHARD_INCIDENTS_H
#define JAZZY_SHARD_INCIDENTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/insight.h"

/* What happened. */
typedef struct jz_happening {
    jz_incident_kind kind;
    uint16_t close_code; /* 0: none */
    const char *reason;  /* static */
    const char *text;    /* a clause, which is copied; may contain what a peer sent */
    const char *route;   /* lives until the server is destroyed; NULL: not known */
    const jz_address *peer;
} jz_happening;

/* As it is kept. */
typedef struct jz_kept_incident {
    uint64_t time_ms;
    uint64_t clock_ns;
    const char *reason;
    const char *route;
    jz_address peer;
    uint16_t close_code;
    char text[JZ_INCIDENT_TEXT_SIZE];
} jz_kept_incident;

typedef struct jz_incidents {
    pthread_mutex_t lock; /* held as long as one incident is written or read */
    uint64_t counts[JZ_INCIDENT_KINDS];
    jz_kept_incident kept[JZ_INCIDENT_KINDS][JZ_KEPT_INCIDENTS]; /* number n in place (n - 1) % JZ_KEPT_INCIDENTS */
} jz_incidents;

void jz_incidents_init(jz_incidents *incidents);
void jz_incidents_destroy(jz_incidents *incidents);

/* From any thread. */
void jz_incidents_note(jz_incidents *incidents, const jz_happening *happening);

/* How many of a kind there have been. From any thread. */
uint64_t jz_incidents_count(jz_incidents *incidents, jz_incident_kind kind);

/* Fills in the incident of a kind with that number, except `loop`. False: it is forgotten, or has not happened. */
bool jz_incidents_find(jz_incidents *incidents, jz_incident_kind kind, uint64_t number, jz_incident *incident);

#endif
