#include "contexts/settings.h"

#include <inttypes.h>
#include <string.h>

#include "contexts/bare.h"
#include "contexts/names.h"
#include "contexts/report.h"

enum {
    MOST_CERTIFICATES = 10000,
    MOST_NAMES = 10000,
    SHORTEST_INTERVAL_MS = 100,
    LONGEST_INTERVAL_MS = 86400000,
    SHORTEST_LIFETIME_S = 60,
    LONGEST_LIFETIME_S = 604800, /* of tickets, RFC 8446 §4.6.1 */
    SHORTEST_SECRET = 32,
    LONGEST_SECRET = 1024
};

jz_tls_options jz_tls_options_default(void)
{
    return (jz_tls_options){
        .policy = JZ_TLS_COMPATIBLE, .clients = JZ_TLS_CLIENTS_ANONYMOUS, .ticket_lifetime_s = 7200};
}

static jz_status check_number(const char *name, uint64_t value, uint64_t lowest, uint64_t highest, const char *or_else,
                              jz_error *error)
{
    if (value >= lowest && value <= highest)
        return JZ_OK;
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "option %s is %" PRIu64 "; it has to be from %" PRIu64 " to %" PRIu64 "%s", name, value,
                         lowest, highest, or_else);
}

/* 0 says that it is off. */
static jz_status check_time(const char *name, uint32_t value, uint64_t shortest, uint64_t longest, jz_error *error)
{
    return value == 0 ? JZ_OK : check_number(name, value, shortest, longest, ", or 0", error);
}

static jz_status check_name(const char *name, size_t number, jz_error *error)
{
    jz_tls_name normal;
    if (name != NULL && jz_tls_name_of(name, strlen(name), &normal))
        return JZ_OK;
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "certificate %zu has the name \"%.80s\"; names are as in DNS, such as chat.example.com or "
                         "*.example.com, others in their xn-- form",
                         number, name != NULL ? name : "");
}

/* No message has it: it may be a key. */
static jz_status check_path(const char *option, const char *path, const char *others, jz_error *error)
{
    if (!jz_tls_is_content(path))
        return JZ_OK;
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "%s is no path, but what should be in the file; pass it in memory (%s)", option, others);
}

static jz_status check_paths(const jz_tls_certificate *given, jz_error *error)
{
    jz_status status =
        check_path("certificate_file", given->certificate_file, "certificate, certificate_length", error);
    return status == JZ_OK ? check_path("key_file", given->key_file, "key, key_length", error) : status;
}

static jz_status check_certificate(const jz_tls_certificate *given, size_t number, jz_error *error)
{
    if ((given->certificate_file == NULL) == (given->certificate == NULL))
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "certificate %zu has %s; it needs either certificate_file or certificate", number,
                             given->certificate == NULL ? "neither a file nor memory" : "both a file and memory");
    if (given->key_file != NULL && given->key != NULL)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "certificate %zu has both a key_file and a key; give one of them", number);
    if (given->names == NULL && given->name_count > 0)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "certificate %zu has a name_count, but no names", number);
    jz_status status = check_paths(given, error);
    if (status == JZ_OK)
        status = check_number("name_count", given->name_count, 0, MOST_NAMES, "", error);
    for (size_t i = 0; status == JZ_OK && i < given->name_count; i++)
        status = check_name(given->names[i], number, error);
    return status;
}

static void copy_certificate(jz_tls_copies *copies, jz_tls_certificate *to, const jz_tls_certificate *given)
{
    *to = *given;
    to->certificate_file = jz_tls_copy_text(copies, given->certificate_file);
    to->certificate = jz_tls_copy(copies, given->certificate, given->certificate_length);
    to->key_file = jz_tls_copy_text(copies, given->key_file);
    to->key = jz_tls_copy(copies, given->key, given->key_length);
    to->ocsp_file = jz_tls_copy_text(copies, given->ocsp_file);
    char **names = jz_tls_copies_allocate(copies, given->name_count, sizeof *names);
    for (size_t i = 0; names != NULL && i < given->name_count; i++)
        names[i] = jz_tls_copy_text(copies, given->names[i]);
    to->names = (const char *const *)names;
}

jz_status jz_tls_certificates_copy(jz_tls_certificates *certificates, const jz_tls_certificate *given, size_t count,
                                   jz_error *error)
{
    *certificates = (jz_tls_certificates){0};
    if (given == NULL || count == 0)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "there is no certificate; TLS needs one, by certificates and certificate_count");
    jz_status status = check_number("certificate_count", count, 1, MOST_CERTIFICATES, "", error);
    for (size_t i = 0; status == JZ_OK && i < count; i++)
        status = check_certificate(&given[i], i + 1, error);
    if (status != JZ_OK)
        return status;
    certificates->count = count;
    certificates->all = jz_tls_copies_allocate(&certificates->copies, count, sizeof *certificates->all);
    for (size_t i = 0; certificates->all != NULL && i < count; i++)
        copy_certificate(&certificates->copies, &certificates->all[i], &given[i]);
    if (certificates->copies.has_failed) {
        jz_tls_certificates_free(certificates);
        return jz_tls_report_no_memory(error);
    }
    return JZ_OK;
}

void jz_tls_certificates_free(jz_tls_certificates *certificates)
{
    jz_tls_copies_free(&certificates->copies);
    *certificates = (jz_tls_certificates){0};
}

static jz_status check_clients(const jz_tls_options *given, jz_error *error)
{
    bool is_anonymous = given->clients == JZ_TLS_CLIENTS_ANONYMOUS;
    if (given->client_ca_file != NULL && given->client_ca != NULL)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "there are both a client_ca_file and a client_ca; give one of them");
    if (is_anonymous && (given->client_ca_file != NULL || given->client_ca != NULL))
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "there is a client_ca, but clients are anonymous; let them identify themselves (option "
                             "clients), or give none");
    if (!is_anonymous && given->client_ca_file == NULL && given->client_ca == NULL)
        return jz_tls_report(
            error, JZ_STATUS_INVALID_OPTION,
            "clients identify themselves, but there is no client_ca or client_ca_file: the authorities "
            "whose certificates are valid");
    return check_path("client_ca_file", given->client_ca_file, "client_ca, client_ca_length", error);
}

static jz_status check_options(const jz_tls_options *given, jz_error *error)
{
    jz_status status = check_number("policy", (uint64_t)given->policy, JZ_TLS_COMPATIBLE, JZ_TLS_MODERN, "", error);
    if (status == JZ_OK)
        status = check_number("clients", (uint64_t)given->clients, JZ_TLS_CLIENTS_ANONYMOUS,
                              JZ_TLS_CLIENTS_MUST_IDENTIFY, "", error);
    if (status == JZ_OK)
        status =
            check_time("watch_interval_ms", given->watch_interval_ms, SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS, error);
    if (status == JZ_OK)
        status =
            check_time("ticket_lifetime_s", given->ticket_lifetime_s, SHORTEST_LIFETIME_S, LONGEST_LIFETIME_S, error);
    if (status == JZ_OK && given->ticket_secret != NULL)
        status = check_number("ticket_secret_length", given->ticket_secret_length, SHORTEST_SECRET, LONGEST_SECRET, "",
                              error);
    return status == JZ_OK ? check_clients(given, error) : status;
}

jz_status jz_tls_settings_copy(jz_tls_settings *settings, const jz_tls_options *given, jz_error *error)
{
    *settings = (jz_tls_settings){.options = *given};
    jz_status status = check_options(given, error);
    if (status != JZ_OK)
        return status;
    jz_tls_options *options = &settings->options;
    options->certificates = NULL;
    options->certificate_count = 0;
    options->client_ca_file = jz_tls_copy_text(&settings->copies, given->client_ca_file);
    options->client_ca = jz_tls_copy(&settings->copies, given->client_ca, given->client_ca_length);
    options->ticket_secret = jz_tls_copy(&settings->copies, given->ticket_secret, given->ticket_secret_length);
    if (settings->copies.has_failed) {
        jz_tls_settings_free(settings);
        return jz_tls_report_no_memory(error);
    }
    return JZ_OK;
}

void jz_tls_settings_free(jz_tls_settings *settings)
{
    jz_tls_copies_free(&settings->copies);
    *settings = (jz_tls_settings){0};
}

jz_tls_look jz_tls_look_at_all(const jz_tls_settings *settings, const jz_tls_certificates *certificates)
{
    jz_tls_look look = {0};
    for (size_t i = 0; i < certificates->count; i++) {
        const jz_tls_certificate *certificate = &certificates->all[i];
        jz_tls_look_at(&look, certificate->certificate_file);
        jz_tls_look_at(&look, certificate->key_file);
        jz_tls_look_at(&look, certificate->ocsp_file);
    }
    jz_tls_look_at(&look, settings->options.client_ca_file);
    return look;
}
