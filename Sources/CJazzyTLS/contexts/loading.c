/* Generations follow each other: a new one is complete before it replaces the present one. */
#include <string.h>
#include <time.h>

#include "contexts/instance.h"
#include "contexts/log.h"

enum { DAY = 24 * 3600, MANY_CONTEXTS = 8 /* to free one takes 50 microseconds */ };

jz_tls_generation *jz_tls_load(jz_tls *tls, const jz_tls_certificates *certificates)
{
    /* Before the files are read: what changes afterwards is seen the next time. */
    tls->look = jz_tls_look_at_all(&tls->settings, certificates);
    tls->fault = (jz_error){.status = JZ_OK};
    jz_tls_generation *generation =
        jz_tls_make_generation(tls->library, &tls->settings, certificates, tls->tickets, &tls->fault);
    /* What is wrong with files stays so until they change; what else was in the way may have gone. */
    bool may_succeed = generation == NULL && tls->fault.status != JZ_STATUS_INVALID_OPTION;
    tls->looks_old = may_succeed || jz_tls_look_is_too_fresh(&tls->look, (int64_t)time(NULL));
    ERR_clear_error();
    return generation;
}

/*
 * The last handshake of a generation ends on a loop, which has no time to free many contexts: large ones are retired
 * with a reference of ours, and freed where certificates are loaded. Small ones do not wait for that, nor do their
 * keys.
 */
static void retire(jz_tls *tls, jz_tls_generation *old)
{
    if (old->context_count <= MANY_CONTEXTS) {
        jz_tls_release_generation(old);
        return;
    }
    old->retired_before = tls->retired;
    tls->retired = old;
}

/* Nobody can borrow one that is not present: if the only reference is ours, it stays so. */
void jz_tls_sweep(jz_tls *tls, bool all)
{
    jz_tls_generation **link = &tls->retired;
    while (*link != NULL) {
        jz_tls_generation *retired = *link;
        if (all || atomic_load_explicit(&retired->references, memory_order_acquire) == 1) {
            *link = retired->retired_before;
            jz_tls_release_generation(retired);
        } else {
            link = &retired->retired_before;
        }
    }
}

void jz_tls_present(jz_tls *tls, jz_tls_generation *generation)
{
    pthread_mutex_lock(&tls->lock);
    jz_tls_generation *old = tls->present;
    tls->present = generation;
    pthread_mutex_unlock(&tls->lock);
    if (old != NULL)
        retire(tls, old);
    jz_tls_sweep(tls, false);
    tls->last_warning = (int64_t)time(NULL);
    jz_tls_generation_warn(generation, &tls->settings.options);
}

/* A certificate that nobody renews grows old without any file that changes. */
static void warn_daily(jz_tls *tls)
{
    int64_t now = (int64_t)time(NULL);
    if (now >= tls->last_warning && now - tls->last_warning < DAY)
        return;
    tls->last_warning = now;
    jz_tls_generation_warn_of_times(tls->present, &tls->settings.options);
}

/* A fault that stays is told of once; files that change meanwhile are not complete yet. */
static void tell_failure(jz_tls *tls, const jz_error *before)
{
    if (jz_tls_look_at_all(&tls->settings, &tls->certificates).hash != tls->look.hash) {
        tls->fault = *before;
        return;
    }
    if (before->status == tls->fault.status && strcmp(before->message, tls->fault.message) == 0)
        return;
    tls->failed_reloads++;
    jz_tls_log(&tls->settings.options, JZ_LOG_ERROR, "the certificates in use stay, because the new ones are wrong: %s",
               tls->fault.message);
}

static void load_again(jz_tls *tls)
{
    jz_error before = tls->fault;
    jz_tls_generation *generation = jz_tls_load(tls, &tls->certificates);
    if (generation == NULL) {
        tell_failure(tls, &before);
    } else if (jz_tls_generations_are_equal(generation, tls->present)) {
        jz_tls_release_generation(generation);
    } else {
        tls->reloads++;
        jz_tls_present(tls, generation);
        jz_tls_log(&tls->settings.options, JZ_LOG_INFO, "certificates were loaded again, because files have changed");
    }
}

void jz_tls_look_again(jz_tls *tls)
{
    pthread_mutex_lock(&tls->loading);
    jz_tls_look look = jz_tls_look_at_all(&tls->settings, &tls->certificates);
    if (tls->looks_old || look.hash != tls->look.hash)
        load_again(tls);
    jz_tls_sweep(tls, false);
    warn_daily(tls);
    pthread_mutex_unlock(&tls->loading);
}
