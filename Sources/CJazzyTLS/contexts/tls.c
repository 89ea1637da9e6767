/* The public functions. */
#include <pthread.h>
#include <stdlib.h>

#include "contexts/contexts.h"
#include "contexts/generation.h"
#include "contexts/report.h"

struct jz_tls {
    jz_tls_counters counters;
    pthread_mutex_t lock; /* guards `present` and nothing else: held for a few instructions */
    jz_tls_generation *present;
};

jz_tls_options jz_tls_options_default(void)
{
    return (jz_tls_options){.ticket_lifetime_s = 7200};
}

jz_tls *jz_tls_create(const jz_tls_options *options, jz_error *error)
{
    if (options == NULL || options->certificates == NULL || options->certificate_count == 0) {
        jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "option certificates is empty; TLS needs at least one");
        return NULL;
    }
    jz_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        jz_tls_report_no_memory(error);
        return NULL;
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->present = jz_tls_make_generation(options, error);
    if (tls->present == NULL) {
        jz_tls_free(tls);
        return NULL;
    }
    return tls;
}

void jz_tls_free(jz_tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->present != NULL)
        jz_tls_release_generation(tls->present);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

jz_tls_generation *jz_tls_borrow_generation(jz_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    jz_tls_generation *present = tls->present;
    jz_tls_retain_generation(present);
    pthread_mutex_unlock(&tls->lock);
    return present;
}

jz_tls_counters *jz_tls_counters_of(jz_tls *tls)
{
    return &tls->counters;
}

jz_tls_statistics jz_tls_statistics_of(jz_tls *tls)
{
    return (jz_tls_statistics){
        .handshakes = tls->counters.handshakes, .resumed = tls->counters.resumed, .failed = tls->counters.failed};
}
