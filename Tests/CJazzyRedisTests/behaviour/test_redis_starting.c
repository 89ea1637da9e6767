/* How long starting takes where nobody answers: one time-out in all, or until the server is stopped. */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/eventually.h"
#include "support/names.h"
#include "support/node.h"
#include "support/redis_server.h"

enum { SILENT = 8 };

/* Takes connections, and says nothing. */
typedef struct silent {
    int listener;
    uint16_t port;
} silent;

static node here;
static silent silents[SILENT];
static char url[512];

static silent listen_in_silence(int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    silent made = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(made.listener, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(made.listener, backlog), 0);
    assert_int_equal(getsockname(made.listener, (struct sockaddr *)&address, &length), 0);
    made.port = ntohs(address.sin_port);
    return made;
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < SILENT; i++)
        silents[i] = listen_in_silence(16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < SILENT; i++)
        close(silents[i].listener);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* All silent ones, and perhaps one more. */
static void write_url(uint16_t other)
{
    int length = snprintf(url, sizeof url, "redis-sentinel://");
    for (size_t i = 0; i < SILENT; i++)
        length +=
            snprintf(url + length, sizeof url - (size_t)length, "%s127.0.0.1:%u", i > 0 ? "," : "", silents[i].port);
    if (other != 0)
        length += snprintf(url + length, sizeof url - (size_t)length, ",127.0.0.1:%u", other);
    (void)snprintf(url + length, sizeof url - (size_t)length, "/shop");
}

static void silent_sentinels_take_one_timeout_in_all(void **state)
{
    (void)state;
    enum { TIMEOUT_MS = 2000 };
    jz_error error = {0};
    write_url(0);
    jz_redis_options options = node_options(&here, url);
    options.connect_timeout_ms = TIMEOUT_MS;
    uint64_t before = now_ms();
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_in_range(now_ms() - before, TIMEOUT_MS, TIMEOUT_MS * SILENT / 2);
    assert_that(strstr(error.message, "does not answer after 2000 ms") != NULL, "%s", error.message);
    node_finish(&here);
}

static void one_that_answers_is_found_among_many_silent_ones(void **state)
{
    (void)state;
    enum { TIMEOUT_MS = 20000 };
    char path[96];
    char output[96];
    redis_server master = {0};
    uint16_t port = redis_free_port();
    redis_server_start(&master, redis_free_port());
    snprintf(path, sizeof path, "%s/sentinel.conf", master.folder);
    snprintf(output, sizeof output, "%s/sentinel.output", master.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "port %u\nbind 127.0.0.1\ndir %s\nsentinel monitor shop 127.0.0.1 %u 1\n", port, master.folder,
            master.port);
    fclose(file);
    pid_t sentinel = redis_spawn((const char *[]){"redis-sentinel", path, NULL}, output);
    write_url(port);
    jz_redis_options options = node_options(&here, url);
    options.connect_timeout_ms = TIMEOUT_MS;
    uint64_t before = now_ms();
    node_start(&here, &options); /* if it is not there yet, it is refused, and they are asked again */
    assert_in_range(now_ms() - before, 0, TIMEOUT_MS);
    node_subscribe(&here, "news");
    node_finish(&here);
    kill(sentinel, SIGKILL);
    waitpid(sentinel, NULL, 0);
    redis_server_finish(&master);
}

/* Listeners whose queue is full let connections hang. */
static void a_host_with_many_addresses_takes_one_timeout_in_all(void **state)
{
    (void)state;
    enum { TIMEOUT_MS = 2000, ADDRESSES = 10, MOST = 8 };
    jz_error error = {0};
    int filling[MOST];
    silent full = listen_in_silence(0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(full.port)};
    for (size_t i = 0; i < MOST; i++) {
        filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(filling[i], (const struct sockaddr *)&address, sizeof address);
    }
    names_have_addresses(ADDRESSES);
    snprintf(url, sizeof url, "redis://many.test:%u", full.port);
    jz_redis_options options = node_options(&here, url);
    options.connect_timeout_ms = TIMEOUT_MS;
    uint64_t before = now_ms();
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_in_range(now_ms() - before, TIMEOUT_MS, TIMEOUT_MS * ADDRESSES / 2);
    assert_that(strstr(error.message, "it does not take the connection after 2000 ms") != NULL, "%s", error.message);
    node_finish(&here);
    for (size_t i = 0; i < MOST; i++)
        close(filling[i]);
    close(full.listener);
}

/* Once starting has come so far that somebody waits for an answer. */
static void *stop_meanwhile(void *server)
{
    int connection = accept(silents[0].listener, NULL, NULL);
    jz_server_stop(server);
    return (void *)(intptr_t)connection;
}

static void expect_interrupted(void)
{
    pthread_t stopper;
    void *connection = NULL;
    jz_error error = {0};
    jz_redis_options options = jz_redis_options_default();
    options.url = url;
    options.connect_timeout_ms = 600000;
    jz_redis *redis = jz_redis_create(&options, &error);
    jz_server *server = jz_server_create(NULL, &error);
    assert_true(redis != NULL && server != NULL);
    assert_int_equal(jz_server_join(server, jz_redis_broker(redis), &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    assert_int_equal(pthread_create(&stopper, NULL, stop_meanwhile, server), 0);
    assert_that(jz_server_run(server, &error) == JZ_OK, "%s", error.message);
    pthread_join(stopper, &connection);
    close((int)(intptr_t)connection);
    jz_server_destroy(server);
    jz_redis_free(redis);
}

static void stopping_interrupts_starting(void **state)
{
    (void)state;
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%u", silents[0].port);
    expect_interrupted();
    (void)snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:%u/shop", silents[0].port);
    expect_interrupted();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silent_sentinels_take_one_timeout_in_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_answers_is_found_among_many_silent_ones, set_up, tear_down),
        cmocka_unit_test(a_host_with_many_addresses_takes_one_timeout_in_all),
        cmocka_unit_test_setup_teardown(stopping_interrupts_starting, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
