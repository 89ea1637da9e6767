/* Servers that find their Redis through Sentinels, while the master changes. */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/eventually.h"
#include "support/node.h"
#include "support/redis_server.h"

static redis_server master;
static redis_server replica;
static uint16_t sentinel_port;
static pid_t sentinel;
static char url[128];
static node here;
static node there;

static void write_configuration(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "port %u\nbind 127.0.0.1\ndir %s\nsentinel monitor shop 127.0.0.1 %u 1\n"
            "sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 3000\n",
            sentinel_port, master.folder, master.port);
    fclose(file);
}

/* Of the Sentinel: the reply's first text; false: there is none. */
static bool ask_sentinel(char *text, size_t size, const char *command)
{
    redisContext *context = redisConnect("127.0.0.1", sentinel_port);
    redisReply *reply = context != NULL && context->err == 0 ? redisCommand(context, command) : NULL;
    bool is_fine = reply != NULL && reply->type != REDIS_REPLY_ERROR && reply->type != REDIS_REPLY_NIL;
    if (is_fine)
        snprintf(text, size, "%s", reply->elements > 1 ? reply->element[1]->str : reply->str != NULL ? reply->str : "");
    freeReplyObject(reply);
    redisFree(context);
    return is_fine;
}

static bool knows_replica(void)
{
    redisContext *context = redisConnect("127.0.0.1", sentinel_port);
    redisReply *reply = context != NULL && context->err == 0 ? redisCommand(context, "SENTINEL replicas shop") : NULL;
    bool is_known = reply != NULL && reply->elements == 1;
    freeReplyObject(reply);
    redisFree(context);
    return is_known;
}

static bool is_replica_in_step(void)
{
    char text[4096];
    redis_server_ask(&replica, text, sizeof text, "INFO replication");
    return strstr(text, "master_link_status:up") != NULL;
}

static int set_up(void **state)
{
    (void)state;
    char path[96];
    char output[96];
    char port[8];
    master = replica = (redis_server){0};
    redis_server_start(&master, redis_free_port());
    redis_server_start(&replica, redis_free_port());
    redis_server_do(&replica, "REPLICAOF 127.0.0.1 %u", master.port);
    assert_eventually(is_replica_in_step());
    sentinel_port = redis_free_port();
    snprintf(path, sizeof path, "%s/sentinel.conf", master.folder);
    snprintf(output, sizeof output, "%s/sentinel.output", master.folder);
    write_configuration(path);
    sentinel = redis_spawn((const char *[]){"redis-sentinel", path, NULL}, output);
    assert_eventually(ask_sentinel(port, sizeof port, "SENTINEL get-master-addr-by-name shop") && knows_replica());
    snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:1,127.0.0.1:%u/shop", sentinel_port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kill(sentinel, SIGKILL);
    waitpid(sentinel, NULL, 0);
    redis_server_finish(&replica);
    redis_server_finish(&master);
    return 0;
}

static void start_both(void)
{
    jz_redis_options options = node_options(&here, url);
    node_start(&here, &options);
    options = node_options(&there, url);
    node_start(&there, &options);
    node_subscribe(&here, "news");
    node_subscribe(&there, "news");
    node_publish(&here, "news", "before");
    node_expect(&there, "before");
    node_expect(&here, "before");
}

static void finish_both(void)
{
    node_finish(&here);
    node_finish(&there);
}

/* The Sentinel ends the connections to the one that it makes a master, ours, too. */
static bool are_at_the_replica(void)
{
    return redis_server_try(&replica, "PUBSUB CHANNELS jazzy:news") == 1 && node_statistics(&here).is_up &&
           node_statistics(&there).is_up;
}

static void a_failover_is_followed_and_told(void **state)
{
    (void)state;
    start_both();
    redis_server_kill(&master);
    assert_eventually(are_at_the_replica());
    assert_eventually(node_gaps_of(&here, "news") >= 1 && node_gaps_of(&there, "news") >= 1);
    node_publish(&here, "news", "after");
    node_expect(&there, "after");
    finish_both();
}

/* The old master lives on, with all its connections: only the Sentinel says that it is no master any more. */
static void a_master_that_is_named_is_gone_to_at_once(void **state)
{
    (void)state;
    char text[32];
    start_both();
    assert_eventually(ask_sentinel(text, sizeof text, "SENTINEL failover shop")); /* once it knows how the replica is */
    assert_eventually(are_at_the_replica());
    assert_eventually(node_gaps_of(&here, "news") >= 1 && node_gaps_of(&there, "news") >= 1);
    node_publish(&there, "news", "after");
    node_expect(&here, "after");
    finish_both();
}

static void sentinels_that_know_no_such_master_are_named(void **state)
{
    (void)state;
    jz_error error = {0};
    snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:%u/other", sentinel_port);
    jz_redis_options options = node_options(&here, url);
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, "it knows no master named other") != NULL, "%s", error.message);
    node_finish(&here);
}

static uint64_t used_cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* It takes the connection, and says nothing. */
static void waiting_for_a_silent_sentinel_takes_no_processor(void **state)
{
    (void)state;
    enum { SILENT_MS = 900, START_MS = 150 };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:%u/shop", ntohs(address.sin_port));
    jz_redis_options options = node_options(&here, url);
    options.starts_alone = true;
    options.connect_timeout_ms = SILENT_MS;
    uint64_t before = used_cpu_ms();
    node_start(&here, &options); /* goes on alone once the Sentinel has not answered */
    assert_in_range(used_cpu_ms() - before, 0, START_MS);
    node_finish(&here);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failover_is_followed_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_master_that_is_named_is_gone_to_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sentinels_that_know_no_such_master_are_named, set_up, tear_down),
        cmocka_unit_test(waiting_for_a_silent_sentinel_takes_no_processor),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
