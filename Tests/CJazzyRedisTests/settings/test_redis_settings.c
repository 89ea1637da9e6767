/* Options: their defaults, which are the documented ones, what is refused, and that all of them are copied. */
#include "settings/settings.h"

#include <stddef.h>

#include "support/allocation.h"
#include "support/testing.h"

static jz_redis_options given(void)
{
    jz_redis_options options = jz_redis_options_default();
    options.url = "redis://127.0.0.1";
    return options;
}

static void the_defaults_are_taken(void **state)
{
    (void)state;
    jz_redis_settings settings;
    jz_error error;
    jz_redis_options options = given();
    options.prefix = NULL;
    options.client_name = NULL;
    assert_int_equal(jz_redis_settings_take(&settings, &options, &error), JZ_OK);
    assert_string_equal(settings.options.prefix, "jazzy:");
    assert_int_equal(settings.prefix_length, 6);
    assert_string_equal(settings.options.client_name, "jazzy");
    assert_string_equal(settings.url.hosts[0].name, "127.0.0.1");
    assert_int_equal(settings.options.queue_limit, 67108864);
    assert_int_equal(settings.options.publish_batch, 32768);
    assert_int_equal(settings.options.linger_ms, 5000);
    assert_int_equal(settings.options.probe_interval_ms, 5000);
    assert_int_equal(settings.options.probe_timeout_ms, 10000);
    assert_int_equal(settings.options.connect_timeout_ms, 5000);
    assert_int_equal(settings.options.stop_timeout_ms, 2000);
    assert_int_equal(settings.options.backoff_least_ms, 50);
    assert_int_equal(settings.options.backoff_most_ms, 2000);
    assert_false(settings.options.is_ordered || settings.options.starts_alone);
    jz_redis_settings_clear(&settings);
    assert_null(settings.options.url);
}

typedef struct bound {
    const char *name;
    size_t offset;
    size_t size;
    uint64_t least;
    uint64_t most;
} bound;

#define BOUND(field, least, most)                                                                                      \
    {                                                                                                                  \
#field, offsetof(jz_redis_options, field), sizeof((jz_redis_options *)NULL)->field, least, most                \
    }

static jz_status take_with(const bound *b, uint64_t value, jz_error *error)
{
    jz_redis_options options = given();
    /* So that no other option has to be larger or smaller. */
    options.probe_interval_ms = 10;
    options.probe_timeout_ms = 3600000;
    options.backoff_least_ms = 1;
    options.backoff_most_ms = 600000;
    if (b->size == sizeof(uint64_t))
        *(uint64_t *)(void *)((char *)&options + b->offset) = value;
    else
        *(uint32_t *)(void *)((char *)&options + b->offset) = (uint32_t)value;
    jz_redis_settings settings;
    jz_status status = jz_redis_settings_take(&settings, &options, error);
    if (status == JZ_OK)
        jz_redis_settings_clear(&settings);
    return status;
}

static void a_number_outside_its_range_is_refused_and_named(void **state)
{
    (void)state;
    static const bound bounds[] = {
        BOUND(queue_limit, 65536, UINT64_C(1) << 40),
        BOUND(publish_batch, 1, 16777216),
        BOUND(linger_ms, 0, 3600000),
        BOUND(probe_interval_ms, 10, 3600000),
        BOUND(probe_timeout_ms, 10, 3600000),
        BOUND(connect_timeout_ms, 10, 600000),
        BOUND(stop_timeout_ms, 0, 600000),
        BOUND(backoff_least_ms, 1, 600000),
        BOUND(backoff_most_ms, 1, 600000),
    };
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        jz_error error = {0};
        assert_that(take_with(&bounds[i], bounds[i].least, &error) == JZ_OK, "%s: %s", bounds[i].name, error.message);
        assert_that(take_with(&bounds[i], bounds[i].most, &error) == JZ_OK, "%s: %s", bounds[i].name, error.message);
        assert_int_equal(take_with(&bounds[i], bounds[i].most + 1, &error), JZ_STATUS_INVALID_OPTION);
        assert_ptr_equal(strstr(error.message, bounds[i].name), error.message);
        if (bounds[i].least == 0)
            continue;
        assert_int_equal(take_with(&bounds[i], bounds[i].least - 1, &error), JZ_STATUS_INVALID_OPTION);
        assert_ptr_equal(strstr(error.message, bounds[i].name), error.message);
    }
}

typedef void change(jz_redis_options *options);

static void no_url(jz_redis_options *options)
{
    options->url = NULL;
}

static void wrong_url(jz_redis_options *options)
{
    options->url = "http://127.0.0.1";
}

static void impatient(jz_redis_options *options)
{
    options->probe_timeout_ms = options->probe_interval_ms - 1;
}

static void shrinking(jz_redis_options *options)
{
    options->backoff_most_ms = options->backoff_least_ms - 1;
}

static void spaced(jz_redis_options *options)
{
    options->client_name = "my server";
}

static void ended(jz_redis_options *options)
{
    options->client_name = "server\n";
}

static void foreign(jz_redis_options *options)
{
    options->client_name = "s\xC3\xBC";
}

static void authority(jz_redis_options *options)
{
    options->ca_file = "ca.pem";
}

static void sentinels_password(jz_redis_options *options)
{
    options->sentinel_password = "secret";
}

static void sentinels_user(jz_redis_options *options)
{
    options->url = "redis-sentinel://a/mymaster";
    options->sentinel_user = "me";
}

static void half_of_a_certificate(jz_redis_options *options)
{
    options->url = "rediss://127.0.0.1";
    options->certificate_file = "certificate.pem";
}

#ifndef JZ_REDIS_TLS
static void secured(jz_redis_options *options)
{
    options->url = "rediss://127.0.0.1";
}
#endif

static void what_does_not_fit_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        change *change;
        const char *said;
    } cases[] = {
        {no_url, "url is missing: where Redis is, such as redis://127.0.0.1:6379"},
        {wrong_url, "the url of Redis has to begin with redis://"},
        {impatient, "probe_timeout_ms is 4999: it has to be at least probe_interval_ms, which is 5000"},
        {shrinking, "backoff_most_ms is 49: it has to be at least backoff_least_ms, which is 50"},
        {spaced, "client_name has a space or another character that Redis refuses"},
        {ended, "client_name has a space or another character that Redis refuses"},
        {foreign, "client_name has a space or another character that Redis refuses"},
        {authority, "ca_file, certificate_file and key_file are for TLS: the url has to begin with rediss://"},
        {half_of_a_certificate, "certificate_file and key_file belong together: one of them is missing"},
        {sentinels_password, "sentinel_user and sentinel_password are for Sentinels"},
        {sentinels_user, "sentinel_user is set, and sentinel_password is not"},
#ifndef JZ_REDIS_TLS
        {secured, "rediss:// needs TLS, which this build does not have. In Swift, name the trait where you depend on "
                  "the package: .package(..., traits: [\"JazzyRedisTLS\"]). In C, build it where pkg-config knows "
                  "OpenSSL 3 (libssl-dev)"},
#endif
    };
    size_t live = test_live_allocations();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_redis_options options = given();
        cases[i].change(&options);
        jz_redis_settings settings;
        jz_error error = {0};
        assert_that(jz_redis_settings_take(&settings, &options, &error) == JZ_STATUS_INVALID_OPTION, "%s",
                    cases[i].said);
        assert_that(strstr(error.message, cases[i].said) == error.message, "%s", error.message);
        assert_null(settings.options.url);
        assert_int_equal(test_live_allocations(), live);
    }
}

static jz_redis_options with_texts(char texts[5][32])
{
    jz_redis_options options = given();
    options.url = strcpy(texts[0], "redis-sentinel://a/mymaster");
    options.prefix = strcpy(texts[1], "");
    options.client_name = strcpy(texts[2], "one");
    options.sentinel_user = strcpy(texts[3], "two");
    options.sentinel_password = strcpy(texts[4], "three");
    return options;
}

static void all_texts_are_copies(void **state)
{
    (void)state;
    char texts[5][32];
    jz_redis_options options = with_texts(texts);
    jz_redis_settings settings;
    jz_error error;
    assert_int_equal(jz_redis_settings_take(&settings, &options, &error), JZ_OK);
    memset(texts, 'x', sizeof texts);
    assert_string_equal(settings.options.prefix, "");
    assert_int_equal(settings.prefix_length, 0);
    assert_string_equal(settings.options.client_name, "one");
    assert_string_equal(settings.options.sentinel_user, "two");
    assert_string_equal(settings.options.sentinel_password, "three");
    assert_string_equal(settings.url.master, "mymaster");
    jz_redis_settings_clear(&settings);
}

static void without_memory_there_is_an_error_and_no_leak(void **state)
{
    (void)state;
    char texts[5][32];
    jz_redis_options options = with_texts(texts);
    size_t live = test_live_allocations();
    jz_status status = JZ_STATUS_OUT_OF_MEMORY;
    for (size_t step = 0; status != JZ_OK; step++) {
        jz_redis_settings settings;
        jz_error error = {0};
        test_allocations_fail_after(step);
        status = jz_redis_settings_take(&settings, &options, &error);
        test_allocations_succeed();
        assert_int_equal(error.status, status);
        assert_true(status == JZ_OK || status == JZ_STATUS_OUT_OF_MEMORY);
        if (status == JZ_OK)
            jz_redis_settings_clear(&settings);
        assert_int_equal(test_live_allocations(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_taken),
        cmocka_unit_test(a_number_outside_its_range_is_refused_and_named),
        cmocka_unit_test(what_does_not_fit_is_refused_and_named),
        cmocka_unit_test(all_texts_are_copies),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis settings", tests, NULL, NULL));
}
