/* A jz_tls, and what its public functions and its watching thread do with it. */
#ifndef JAZZY_TLS_CONTEXTS_INSTANCE_H
#define JAZZY_TLS_CONTEXTS_INSTANCE_H

#include <pthread.h>
#include <sys/types.h>

#include "contexts/generation.h"

/* What the thread that watches files needs. */
typedef struct jz_tls_watch {
    pthread_t thread;
    bool is_running;
    pid_t process; /* that has the thread */
    pthread_mutex_t lock;
    pthread_cond_t ending;
    bool is_ending; /* guarded by `lock` */
} jz_tls_watch;

struct jz_tls {
    jz_tls_counters counters;
    atomic_uint_fast64_t reloads;
    atomic_uint_fast64_t failed_reloads;
    const jz_tls_library *library; /* our own, or the next one */
    jz_tls_library of_application;
    jz_tls_settings settings; /* never changed */
    jz_tls_tickets *tickets;  /* NULL: nothing is resumed */

    pthread_mutex_t loading; /* held while files are read: guards what follows */
    jz_tls_certificates certificates;
    jz_tls_look look;           /* before the last try to load */
    bool looks_old;             /* whether another look is due, however the files look */
    jz_error fault;             /* why the last try failed; JZ_OK: it did not */
    jz_tls_generation *retired; /* large ones that are not present any more, the last first */
    int64_t last_warning;       /* about times of certificates, in seconds since 1970 */

    pthread_mutex_t lock; /* held for a few instructions: guards `present` */
    jz_tls_generation *present;

    jz_tls_watch watch;
};

/* Under `loading`. Makes a generation of these certificates, notes when, and why it failed. NULL: it did. */
jz_tls_generation *jz_tls_load(jz_tls *tls, const jz_tls_certificates *certificates);

/* Under `loading`. Replaces the present generation, if any, by one whose reference is taken over, and logs warnings. */
void jz_tls_present(jz_tls *tls, jz_tls_generation *generation);

/* Frees what was retired and is not used any more; with `all`, also what is. */
void jz_tls_sweep(jz_tls *tls, bool all);

/* What the watching thread does each time: loads again if files have changed. */
void jz_tls_look_again(jz_tls *tls);

/* Starts the thread, if the options say so. */
jz_status jz_tls_watch_start(jz_tls *tls, jz_error *error);
/* Ends it, if it runs. */
void jz_tls_watch_end(jz_tls *tls);

#endif
