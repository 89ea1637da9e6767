/* The public functions. All of them leave OpenSSL's error queue empty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contexts/choice.h"
#include "contexts/instance.h"
#include "contexts/report.h"

/* An application's providers, or its configuration of OpenSSL, do not have everything. */
static jz_status refuse_library(const jz_tls_library *of_application, jz_error *error)
{
    const char *what = jz_tls_library_lacks(of_application);
    jz_status status = jz_tls_report_openssl(error, JZ_STATUS_SYSTEM, "find %s in any active provider of OpenSSL",
                                             what != NULL ? what : "what TLS needs");
    size_t length = strlen(error->message);
    if (status == JZ_STATUS_SYSTEM)
        snprintf(
            error->message + length, sizeof error->message - length,
            "; activate one that has it, such as \"default\", in openssl.cnf or the file that OPENSSL_CONF names, and "
            "ask for no properties that it lacks");
    return status;
}

static jz_status load_first(jz_tls *tls, const jz_tls_options *options, jz_error *error)
{
    jz_status status = jz_tls_settings_copy(&tls->settings, options, error);
    if (status == JZ_OK)
        status = jz_tls_certificates_copy(&tls->certificates, options->certificates, options->certificate_count, error);
    tls->library = jz_tls_choose_library(&tls->of_application);
    if (status == JZ_OK && tls->library == NULL)
        status = refuse_library(&tls->of_application, error);
    if (status == JZ_OK && options->ticket_lifetime_s > 0) {
        tls->tickets = jz_tls_tickets_create(tls->library, &tls->settings.options, error);
        status = tls->tickets != NULL ? JZ_OK : error->status;
    }
    if (status != JZ_OK)
        return status;
    jz_tls_generation *generation = jz_tls_load(tls, &tls->certificates);
    if (generation == NULL) {
        *error = tls->fault;
        return error->status;
    }
    jz_tls_present(tls, generation);
    return jz_tls_watch_start(tls, error);
}

/*
 * Whoever calls OpenSSL first decides whether it tears itself down at exit. Loops do not wait for that: where a program
 * calls exit() while they run, they would use what is gone.
 */
static bool begin_openssl(void)
{
    return OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}

jz_tls *jz_tls_create(const jz_tls_options *options, jz_error *error)
{
    jz_error own;
    const jz_tls_options none = jz_tls_options_default();
    error = error != NULL ? error : &own;
    jz_tls *tls = begin_openssl() ? calloc(1, sizeof *tls) : NULL;
    if (tls == NULL) {
        jz_tls_report_no_memory(error);
        return NULL;
    }
    ERR_clear_error();
    pthread_mutex_init(&tls->loading, NULL);
    pthread_mutex_init(&tls->lock, NULL);
    jz_status status = load_first(tls, options != NULL ? options : &none, error);
    ERR_clear_error();
    if (status == JZ_OK)
        return tls;
    jz_tls_free(tls);
    return NULL;
}

void jz_tls_free(jz_tls *tls)
{
    if (tls == NULL)
        return;
    jz_tls_watch_end(tls);
    if (tls->present != NULL)
        jz_tls_release_generation(tls->present);
    jz_tls_sweep(tls, true);
    jz_tls_tickets_free(tls->tickets);
    jz_tls_library_forget(&tls->of_application);
    jz_tls_certificates_free(&tls->certificates);
    jz_tls_settings_free(&tls->settings);
    pthread_mutex_destroy(&tls->lock);
    pthread_mutex_destroy(&tls->loading);
    free(tls);
}

/* Under `loading`. */
static jz_status load_and_count(jz_tls *tls, const jz_tls_certificates *certificates, jz_error *error)
{
    jz_tls_generation *generation = jz_tls_load(tls, certificates);
    if (generation == NULL) {
        tls->failed_reloads++;
        if (error != NULL)
            *error = tls->fault;
        return tls->fault.status;
    }
    tls->reloads++;
    jz_tls_present(tls, generation);
    return JZ_OK;
}

jz_status jz_tls_reload(jz_tls *tls, jz_error *error)
{
    pthread_mutex_lock(&tls->loading);
    jz_status status = load_and_count(tls, &tls->certificates, error);
    pthread_mutex_unlock(&tls->loading);
    return status;
}

jz_status jz_tls_replace(jz_tls *tls, const jz_tls_certificate *certificates, size_t count, jz_error *error)
{
    jz_error own;
    jz_tls_certificates copied;
    jz_status status = jz_tls_certificates_copy(&copied, certificates, count, error != NULL ? error : &own);
    if (status != JZ_OK) {
        tls->failed_reloads++;
        return status;
    }
    pthread_mutex_lock(&tls->loading);
    status = load_and_count(tls, &copied, error);
    if (status == JZ_OK) {
        jz_tls_certificates old = tls->certificates;
        tls->certificates = copied;
        copied = old;
    } else {
        tls->looks_old = true; /* what was looked at are files that are not used */
        tls->fault = (jz_error){.status = JZ_OK};
    }
    pthread_mutex_unlock(&tls->loading);
    jz_tls_certificates_free(&copied);
    return status;
}

jz_tls_generation *jz_tls_borrow_generation(jz_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    jz_tls_generation *present = tls->present;
    jz_tls_retain_generation(present);
    pthread_mutex_unlock(&tls->lock);
    return present;
}

const jz_tls_library *jz_tls_library_of(const jz_tls *tls)
{
    return tls->library;
}

jz_tls_counters *jz_tls_counters_of(jz_tls *tls)
{
    return &tls->counters;
}

jz_tls_statistics jz_tls_statistics_of(jz_tls *tls)
{
    jz_tls_generation *present = jz_tls_borrow_generation(tls);
    uint64_t resumed = tls->counters.resumed;
    jz_tls_statistics statistics = {
        .handshakes = tls->counters.full + resumed,
        .resumed = resumed,
        .failed = tls->counters.failed,
        .reloads = tls->reloads,
        .failed_reloads = tls->failed_reloads,
        .expires = jz_tls_generation_expires(present),
    };
    jz_tls_release_generation(present);
    return statistics;
}
