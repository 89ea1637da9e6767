#include "settings/settings.h"

#include <string.h>

#include "settings/report.h"
#include "settings/text.h"

/* A number of the options, and its range. */
typedef struct range {
    const char *name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
} range;

static jz_status check_numbers(const jz_redis_options *options, jz_error *error)
{
    const range ranges[] = {
        {"queue_limit", options->queue_limit, 65536, UINT64_C(1) << 40},
        {"publish_batch", options->publish_batch, 1, 16777216},
        {"linger_ms", options->linger_ms, 0, 3600000},
        {"probe_interval_ms", options->probe_interval_ms, 10, 3600000},
        {"probe_timeout_ms", options->probe_timeout_ms, 10, 3600000},
        {"connect_timeout_ms", options->connect_timeout_ms, 10, 600000},
        {"stop_timeout_ms", options->stop_timeout_ms, 0, 600000},
        {"backoff_least_ms", options->backoff_least_ms, 1, 600000},
        {"backoff_most_ms", options->backoff_most_ms, 1, 600000},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const range *r = &ranges[i];
        if (r->value < r->least || r->value > r->most)
            return jz_redis_report(error, JZ_STATUS_INVALID_OPTION, "%s is %llu: it has to be from %llu to %llu",
                                   r->name, (unsigned long long)r->value, (unsigned long long)r->least,
                                   (unsigned long long)r->most);
    }
    if (options->probe_timeout_ms < options->probe_interval_ms)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "probe_timeout_ms is %u: it has to be at least probe_interval_ms, which is %u",
                               (unsigned)options->probe_timeout_ms, (unsigned)options->probe_interval_ms);
    if (options->backoff_most_ms < options->backoff_least_ms)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "backoff_most_ms is %u: it has to be at least backoff_least_ms, which is %u",
                               (unsigned)options->backoff_most_ms, (unsigned)options->backoff_least_ms);
    return JZ_OK;
}

/* What Redis takes for a client's name. */
static jz_status check_client_name(const char *name, jz_error *error)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (*c < '!' || *c > '~')
            return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                                   "client_name has a space or another character that Redis refuses: it has to be of "
                                   "'!' to '~' in ASCII");
    }
    return JZ_OK;
}

/* An option that does nothing is a mistake. */
static jz_status check_fit(const jz_redis_options *options, const jz_redis_url *url, jz_error *error)
{
    bool has_files = options->ca_file != NULL || options->certificate_file != NULL || options->key_file != NULL;
    bool has_sentinel = options->sentinel_user != NULL || options->sentinel_password != NULL;
    if (has_files && !url->is_tls)
        return jz_redis_report(
            error, JZ_STATUS_INVALID_OPTION,
            "ca_file, certificate_file and key_file are for TLS: the url has to begin with rediss:// or "
            "rediss-sentinel://");
    if ((options->certificate_file == NULL) != (options->key_file == NULL))
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "certificate_file and key_file belong together: one of them is missing");
    if (has_sentinel && url->where != JZ_REDIS_AT_SENTINEL)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "sentinel_user and sentinel_password are for Sentinels: the url has to begin with "
                               "redis-sentinel:// or rediss-sentinel://");
    if (options->sentinel_user != NULL && options->sentinel_password == NULL)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION, "sentinel_user is set, and sentinel_password is not");
#ifndef JZ_REDIS_TLS
    if (url->is_tls)
        return jz_redis_report(
            error, JZ_STATUS_INVALID_OPTION,
            "rediss:// needs TLS, which this build does not have. In Swift, name the trait where you depend on the "
            "package: .package(..., traits: [\"JazzyRedisTLS\"]). In C, build it where pkg-config knows OpenSSL 3 "
            "(libssl-dev)");
#endif
    return JZ_OK;
}

/* Replaces a borrowed text by a copy; NULL stays. False: no memory, and it is NULL. */
static bool copy_text(const char **text)
{
    if (*text == NULL)
        return true;
    *text = jz_redis_text_copy(jz_redis_text_of(*text));
    return *text != NULL;
}

static void texts_of(jz_redis_options *options, const char **texts[8])
{
    size_t count = 0;
    texts[count++] = &options->url;
    texts[count++] = &options->prefix;
    texts[count++] = &options->client_name;
    texts[count++] = &options->sentinel_user;
    texts[count++] = &options->sentinel_password;
    texts[count++] = &options->ca_file;
    texts[count++] = &options->certificate_file;
    texts[count] = &options->key_file;
}

static jz_status copy_texts(jz_redis_options *options, jz_error *error)
{
    const char **texts[8];
    bool has_memory = true;
    texts_of(options, texts);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        has_memory = copy_text(texts[i]) && has_memory;
    return has_memory ? JZ_OK : jz_redis_report_no_memory(error);
}

static jz_status take(jz_redis_settings *settings, jz_error *error)
{
    jz_status status = copy_texts(&settings->options, error);
    if (status != JZ_OK)
        return status;
    if (settings->options.url == NULL)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "url is missing: where Redis is, such as redis://127.0.0.1:6379");
    settings->prefix_length = strlen(settings->options.prefix);
    status = check_numbers(&settings->options, error);
    if (status == JZ_OK)
        status = check_client_name(settings->options.client_name, error);
    if (status == JZ_OK)
        status = jz_redis_url_parse(settings->options.url, &settings->url, error);
    return status == JZ_OK ? check_fit(&settings->options, &settings->url, error) : status;
}

jz_status jz_redis_settings_take(jz_redis_settings *settings, const jz_redis_options *options, jz_error *error)
{
    *settings = (jz_redis_settings){.options = *options};
    jz_redis_options defaults = jz_redis_options_default();
    if (options->prefix == NULL)
        settings->options.prefix = defaults.prefix;
    if (options->client_name == NULL)
        settings->options.client_name = defaults.client_name;
    jz_status status = take(settings, error);
    if (status != JZ_OK)
        jz_redis_settings_clear(settings);
    return status;
}

void jz_redis_settings_clear(jz_redis_settings *settings)
{
    const char **texts[8];
    texts_of(&settings->options, texts);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        jz_redis_text_free(*texts[i]);
    jz_redis_url_clear(&settings->url);
    *settings = (jz_redis_settings){0};
}
