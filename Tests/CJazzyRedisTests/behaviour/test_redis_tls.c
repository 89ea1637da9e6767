/* Redis over TLS where hiredis has that, and the reason where it has not. */
#include <stdio.h>

#include "support/eventually.h"
#include "support/node.h"
#include "support/redis_server.h"

static node here;
static node there;

#ifdef JZ_REDIS_TLS

#include <sys/wait.h>

static redis_server redis;
static char certificate[96];
static char key[96];
static uint16_t port;

static void make_certificate(void)
{
    char output[96];
    int status = -1;
    snprintf(certificate, sizeof certificate, "%s/certificate.pem", redis.folder);
    snprintf(key, sizeof key, "%s/key.pem", redis.folder);
    snprintf(output, sizeof output, "%s/openssl.output", redis.folder);
    pid_t process =
        redis_spawn((const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                     "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
                                     "subjectAltName=DNS:localhost", "-days", "2", NULL},
                    output);
    waitpid(process, &status, 0);
    assert_int_equal(status, 0);
}

static int set_up(void **state)
{
    (void)state;
    char text[8];
    redis = (redis_server){0};
    redis_server_start(&redis, 0);
    redis_server_kill(&redis);
    make_certificate();
    port = redis_free_port();
    snprintf(text, sizeof text, "%u", port);
    redis_server_run(&redis, (const char *[]){"--tls-port", text, "--tls-cert-file", certificate, "--tls-key-file", key,
                                              "--tls-ca-cert-file", certificate, "--tls-auth-clients", "yes", NULL});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_server_finish(&redis);
    return 0;
}

static jz_redis_options options_for(node *node, const char *host)
{
    static char url[64];
    snprintf(url, sizeof url, "rediss://%s:%u", host, port);
    jz_redis_options options = node_options(node, url);
    options.ca_file = options.certificate_file = certificate;
    options.key_file = key;
    return options;
}

static void messages_arrive_over_tls(void **state)
{
    (void)state;
    static char large[300 * 1024];
    char text[32];
    memset(large, 'x', sizeof large - 1);
    jz_redis_options options = options_for(&here, "localhost");
    node_start(&here, &options);
    options = options_for(&there, "localhost");
    node_start(&there, &options);
    node_subscribe(&there, "news");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_publish(&here, "news", text);
        if (i == 2500)
            node_publish(&here, "large", large);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_expect(&there, text);
    }
    redis_server_do(&redis, "CLIENT KILL TYPE pubsub");
    assert_eventually(node_gaps_of(&there, "news") >= 1);
    assert_eventually(node_is_live(&there, "news"));
    node_publish(&here, "news", "again");
    node_expect(&there, "again");
    node_finish(&here);
    node_finish(&there);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_redis_options options = options_for(&here, "127.0.0.1");
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, "its certificate is not valid: IP address mismatch") != NULL, "%s",
                error.message);
    node_finish(&here);
}

static void a_file_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_redis_options options = options_for(&here, "localhost");
    options.ca_file = "/no/such/file";
    assert_null(jz_redis_create(&options, &error));
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "ca_file cannot be used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_over_tls),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_used_is_named),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, set_up, tear_down));
}

#else

static void it_is_refused_with_what_is_missing(void **state)
{
    (void)state;
    jz_error error = {0};
    (void)there;
    jz_redis_options options = node_options(&here, "rediss://localhost");
    assert_null(jz_redis_create(&options, &error));
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
    assert_that(strstr(error.message, "hiredis 1.0") != NULL, "%s", error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_refused_with_what_is_missing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}

#endif
