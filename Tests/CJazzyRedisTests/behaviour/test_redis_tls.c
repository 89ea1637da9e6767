/* Servers that share their topics through a Redis that is reached by TLS, and whom they trust. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "support/eventually.h"
#include "support/node.h"
#include "support/redis_server.h"

static node here;

#ifdef JZ_REDIS_TLS

enum { MANY = 3000, LARGE = 100 * 1024 };

static redis_server redis;
static uint16_t tls_port;
static char url[64];
static node there;

static const char *path(const char *name)
{
    static char paths[8][128];
    static size_t next;
    char *chosen = paths[next++ % 8];
    (void)snprintf(chosen, sizeof paths[0], "%s/%s", redis.folder, name);
    return chosen;
}

static void run(const char *const *arguments)
{
    int status = 0;
    assert_true(waitpid(redis_spawn(arguments, path("openssl")), &status, 0) > 0);
    assert_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "openssl failed: %s", path("openssl"));
}

/* A certificate for the subject and names, by the authority, or by itself. */
static void certify(const char *name, const char *names, const char *authority)
{
    char subject[64];
    char key[64];
    char file[64];
    (void)snprintf(subject, sizeof subject, "/CN=%s", name);
    (void)snprintf(key, sizeof key, "%s.key", name);
    (void)snprintf(file, sizeof file, "%s.pem", name);
    const char *arguments[28] = {
        "openssl", "req",     "-x509", "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",  "-days",   "9",     "-subj",   subject, "-addext",  names,
        "-keyout", path(key), "-out",  path(file)};
    if (authority != NULL) {
        const char *signing[] = {"-CA", path("authority.pem"), "-CAkey", path("authority.key")};
        memcpy(arguments + 18, signing, sizeof signing);
    }
    run(arguments);
}

/* Starts Redis with this certificate. */
static void begin(const char *name, const char *demands_certificates)
{
    char port[8];
    char key[64];
    char file[64];
    (void)snprintf(port, sizeof port, "%u", tls_port);
    (void)snprintf(key, sizeof key, "%s.key", name);
    (void)snprintf(file, sizeof file, "%s.pem", name);
    redis_server_run(&redis, (const char *[]){"--tls-port", port, "--tls-cert-file", path(file), "--tls-key-file",
                                              path(key), "--tls-ca-cert-file", path("authority.pem"),
                                              "--tls-auth-clients", demands_certificates, NULL});
}

static void begin_again(const char *name, const char *demands_certificates)
{
    redis_server_kill(&redis);
    begin(name, demands_certificates);
}

static int set_up(void **state)
{
    (void)state;
    redis_server_start(&redis, 0);
    redis_server_kill(&redis);
    tls_port = redis_free_port();
    (void)snprintf(url, sizeof url, "rediss://127.0.0.1:%u", tls_port);
    certify("authority", "subjectAltName=DNS:authority", NULL);
    certify("server", "subjectAltName=IP:127.0.0.1", "authority");
    certify("named", "subjectAltName=DNS:localhost", "authority");
    certify("client", "subjectAltName=DNS:client", "authority");
    begin("server", "no");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_server_finish(&redis);
    return 0;
}

static jz_redis_options options_of(node *node)
{
    jz_redis_options options = node_options(node, url);
    options.ca_file = path("authority.pem");
    return options;
}

static void start_both(void)
{
    jz_redis_options options = options_of(&here);
    node_start(&here, &options);
    options = options_of(&there);
    node_start(&there, &options);
}

static void finish_both(void)
{
    node_finish(&here);
    node_finish(&there);
}

static void messages_arrive_in_their_order_however_many_and_large(void **state)
{
    (void)state;
    char text[64];
    static char large[LARGE];
    memset(large, 'x', sizeof large);
    start_both();
    node_subscribe(&there, "news");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        assert_int_equal(node_publish(&here, "news", text), JZ_SEND_SENT);
        if (i % 100 == 0)
            assert_int_equal(jz_server_publish(here.server, "news", 4, JZ_MESSAGE_BINARY, large, LARGE), JZ_SEND_SENT);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        node_expect(&there, text);
        if (i % 100 == 0)
            test_client_expect(&there.client, JZ_OPCODE_BINARY, large, LARGE);
    }
    assert_eventually(node_statistics(&here).queue_messages == 0);
    assert_int_equal(node_statistics(&there).gaps, 0);
    finish_both();
}

static void a_connection_that_is_lost_is_made_again(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&there, "news");
    redis_server_kill(&redis);
    assert_eventually(!node_statistics(&here).is_up && !node_statistics(&there).is_up);
    begin("server", "no");
    assert_eventually(node_statistics(&here).is_up && node_statistics(&there).is_up);
    assert_eventually(node_gaps_of(&there, "news") > 0);
    assert_int_equal(node_publish(&here, "news", "again"), JZ_SEND_SENT);
    node_expect(&there, "again");
    finish_both();
}

static void expect_refusal(const jz_redis_options *options, const char *said)
{
    jz_error error = {0};
    assert_int_equal(node_try(&here, options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, said) != NULL, "%s", error.message);
}

static void only_a_certificate_for_the_host_by_an_authority_is_trusted(void **state)
{
    (void)state;
    char other[64];
    jz_redis_options options = options_of(&here);
    (void)snprintf(other, sizeof other, "rediss://localhost:%u", tls_port);
    options.url = other;
    expect_refusal(&options, "its certificate is not trusted: hostname mismatch");
    options = options_of(&here);
    options.ca_file = path("client.pem");
    expect_refusal(&options, "its certificate is not trusted: ");
    options.ca_file = NULL; /* the system's */
    expect_refusal(&options, "its certificate is not trusted: ");
    begin_again("named", "no");
    options = options_of(&here);
    expect_refusal(&options, "its certificate is not trusted: IP address mismatch");
    options.url = other;
    node_start(&here, &options);
    node_finish(&here);
    begin_again("server", "no");
}

static void who_does_not_speak_tls_is_told(void **state)
{
    (void)state;
    redis_server plain = {0};
    char other[64];
    redis_server_start(&plain, redis_free_port());
    (void)snprintf(other, sizeof other, "rediss://127.0.0.1:%u", plain.port);
    jz_redis_options options = options_of(&here);
    options.url = other;
    options.connect_timeout_ms = 300; /* it waits for the end of what it takes for a command */
    expect_refusal(&options, "it does not answer after 300 ms");
    redis_server_finish(&plain);
}

/* One that has TLS alone, and reaches the master by it. */
static pid_t start_sentinel(uint16_t port, const char *certificate)
{
    char key[64];
    char file[64];
    (void)snprintf(key, sizeof key, "%s.key", certificate);
    (void)snprintf(file, sizeof file, "%s.pem", certificate);
    FILE *configuration = fopen(path("sentinel.conf"), "w");
    assert_non_null(configuration);
    (void)fprintf(configuration,
                  "port 0\ntls-port %u\nbind 127.0.0.1\ndir %s\ntls-cert-file %s\ntls-key-file %s\n"
                  "tls-ca-cert-file %s\ntls-auth-clients no\ntls-replication yes\n"
                  "sentinel monitor shop 127.0.0.1 %u 1\n",
                  port, redis.folder, path(file), path(key), path("authority.pem"), tls_port);
    (void)fclose(configuration);
    return redis_spawn((const char *[]){"redis-sentinel", path("sentinel.conf"), NULL}, path("sentinel.output"));
}

static void end(pid_t process)
{
    (void)kill(process, SIGKILL);
    (void)waitpid(process, NULL, 0);
}

static bool starts(node *node, const jz_redis_options *options, jz_error *error)
{
    if (node_try(node, options, error) == JZ_OK)
        return true;
    node_finish(node);
    return false;
}

static void sentinels_and_the_master_are_reached_by_tls(void **state)
{
    (void)state;
    char sentinels[96];
    jz_error error = {0};
    uint16_t port = redis_free_port();
    pid_t sentinel = start_sentinel(port, "server");
    (void)snprintf(sentinels, sizeof sentinels, "rediss-sentinel://127.0.0.1:%u/shop", port);
    jz_redis_options options = options_of(&here);
    options.url = sentinels;
    assert_eventually(starts(&here, &options, &error));
    assert_true(test_client_open(&here.client, jz_server_port(here.server), UPGRADE_REQUEST("/")));
    node_subscribe(&here, "news");
    assert_int_equal(redis_server_do(&redis, "PUBLISH jazzy:news hello"), 1);
    node_expect(&here, "hello");
    node_finish(&here);
    end(sentinel);
}

static void a_sentinel_whose_certificate_is_for_another_is_not_trusted(void **state)
{
    (void)state;
    char sentinels[96];
    jz_error error = {0};
    uint16_t port = redis_free_port();
    pid_t sentinel = start_sentinel(port, "named");
    (void)snprintf(sentinels, sizeof sentinels, "rediss-sentinel://127.0.0.1:%u/shop", port);
    jz_redis_options options = options_of(&here);
    options.url = sentinels;
    assert_eventually(!starts(&here, &options, &error) && strstr(error.message, "refused") == NULL);
    assert_that(strstr(error.message, "its certificate is not trusted: IP address mismatch") != NULL, "%s",
                error.message);
    end(sentinel);
}

static void redis_may_demand_a_certificate(void **state)
{
    (void)state;
    begin_again("server", "yes");
    jz_redis_options options = options_of(&here);
    jz_error error = {0};
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    options.certificate_file = path("client.pem");
    options.key_file = path("client.key");
    node_start(&here, &options);
    node_subscribe(&here, "news");
    assert_int_equal(redis_server_do(&redis, "PUBLISH jazzy:news hello"), 1);
    node_expect(&here, "hello");
    node_finish(&here);
    begin_again("server", "no");
}

static void files_that_cannot_be_used_are_named_before_anything_is_connected(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *authority;
        const char *certificate;
        const char *key;
    } cases[] = {
        {"ca_file", "gone.pem", NULL, NULL},
        {"ca_file", "server.key", NULL, NULL},
        {"certificate_file", "authority.pem", "gone.pem", "client.key"},
        {"key_file", "authority.pem", "client.pem", "gone.key"},
        {"key_file", "authority.pem", "client.pem", "server.key"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_redis_options options = options_of(&here);
        options.ca_file = path(cases[i].authority);
        options.certificate_file = cases[i].certificate != NULL ? path(cases[i].certificate) : NULL;
        options.key_file = cases[i].key != NULL ? path(cases[i].key) : NULL;
        jz_error error = {0};
        assert_null(jz_redis_create(&options, &error));
        assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
        assert_that(strncmp(error.message, cases[i].option, strlen(cases[i].option)) == 0, "%zu: %s", i, error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_their_order_however_many_and_large),
        cmocka_unit_test(a_connection_that_is_lost_is_made_again),
        cmocka_unit_test(only_a_certificate_for_the_host_by_an_authority_is_trusted),
        cmocka_unit_test(who_does_not_speak_tls_is_told),
        cmocka_unit_test(sentinels_and_the_master_are_reached_by_tls),
        cmocka_unit_test(a_sentinel_whose_certificate_is_for_another_is_not_trusted),
        cmocka_unit_test(redis_may_demand_a_certificate),
        cmocka_unit_test(files_that_cannot_be_used_are_named_before_anything_is_connected),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis over tls", tests, set_up, tear_down));
}

#else

static void it_is_refused_with_what_is_missing(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_redis_options options = node_options(&here, "rediss://localhost");
    assert_null(jz_redis_create(&options, &error));
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
    assert_that(strstr(error.message, "OpenSSL 3") != NULL, "%s", error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_refused_with_what_is_missing)};
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis without tls", tests, NULL, NULL));
}

#endif
