/* Descriptors of a server that other code shuts down, or closes by mistake: logged once, and no loop spins. */
#define _DEFAULT_SOURCE

#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/log_lines.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

static jz_server *server;
static journal seen;
static log_lines log_of_server;
static test_client client;
static uint16_t port;

static void create(uint32_t threads)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    jz_options options = serving_options(threads);
    log_lines_begin(&log_of_server, &options);
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

/* A listening socket; the server gets one descriptor of it, and we keep another. */
static int share_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(descriptor, 8), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    port = ntohs(address.sin_port);
    assert_int_equal(jz_server_listen_descriptor(server, dup(descriptor), NULL), JZ_OK);
    return descriptor;
}

static uint64_t iterations(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.iterations;
}

static size_t error_count(void)
{
    return log_of_server.count_of_level[JZ_LOG_ERROR];
}

static void a_listener_that_was_shut_down_elsewhere_is_told_once_and_left(void **state)
{
    (void)state;
    enum { TIMES = 40, MOST_TURNS = 1000 };
    for (uint32_t threads = 1; threads <= 2; threads++) {
        create(threads);
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
        int ours = share_listener();
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        bystander_open(port);
        assert_int_equal(shutdown(ours, SHUT_RDWR), 0);
        assert_eventually(error_count() == 1);
        assert_true(log_lines_have(&log_of_server, "listens no more: the socket was shut down by somebody else"));
        uint64_t before = iterations();
        for (int i = 0; i < TIMES; i++) {
            bystander_let_turn();
            test_pause_before(test_deadline());
        }
        assert_in_range(iterations() - before, 1, MOST_TURNS);
        assert_int_equal(error_count(), 1);
        /* The other listener still works. */
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        test_client_close(&client);
        bystander_close();
        close(ours);
        finish();
    }
}

/* The other way round: an inherited socket still works for its other owner when the server has ended. */
static void an_inherited_listener_goes_on_elsewhere_when_the_server_ends(void **state)
{
    (void)state;
    create(1);
    int ours = share_listener();
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/")));
    test_client_close(&client);
    finish();
    assert_true(test_client_connect(&client, port, 0));
    int accepted = accept(ours, NULL, NULL);
    assert_true(accepted >= 0);
    close(accepted);
    close(ours);
    test_client_close(&client);
}

/* The descriptors of this process that poll; returns how many. */
static size_t find_polls(int *descriptors, size_t capacity)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char target[64] = "";
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) > 0 &&
            strcmp(target, "anon_inode:[eventpoll]") == 0 && count < capacity)
            descriptors[count++] = atoi(entry->d_name);
    }
    closedir(directory);
    return count;
}

typedef struct run {
    jz_status status;
    jz_error error;
} run;

static void *run_server(void *context)
{
    run *task = context;
    task->status = jz_server_run(server, &task->error);
    return NULL;
}

/* Not by close, which ThreadSanitizer would take for a mistake of ours. So it is, and of the kind that is tested. */
static void close_by_mistake(int descriptor)
{
    assert_int_equal(syscall(SYS_close, descriptor), 0);
}

static void a_loop_whose_poll_was_closed_ends_and_so_does_its_server(void **state)
{
    (void)state;
    enum { MOST_LOOPS = 3 };
    for (uint32_t threads = 1; threads <= MOST_LOOPS; threads++) {
        for (uint32_t lost = 0; lost < threads; lost++) {
            int polls[MOST_LOOPS] = {0};
            run task = {.status = JZ_OK};
            pthread_t thread;
            test_client clients[MOST_LOOPS];
            create(threads);
            assert_int_equal(find_polls(polls, MOST_LOOPS), threads);
            assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
            port = jz_server_port(server);
            assert_int_equal(pthread_create(&thread, NULL, run_server, &task), 0);
            for (uint32_t i = 0; i < threads; i++)
                assert_true(test_client_open(&clients[i], port, UPGRADE_REQUEST("/")));
            assert_eventually(seen.opens == threads);
            close_by_mistake(polls[lost]);
            /* Each loop gets a message, which wakes it. The clients of the other loops get close frames, and answer
               them. */
            for (uint32_t i = 0; i < threads; i++) {
                test_client_send_frame(&clients[i], &(test_frame)TEXT("x"));
                test_client_stop_sending(&clients[i]);
            }
            for (uint32_t i = 0; i < threads; i++) {
                assert_true(test_client_sees_end(&clients[i]));
                test_client_close(&clients[i]);
            }
            pthread_join(thread, NULL);
            assert_int_equal(task.status, JZ_STATUS_SYSTEM);
            assert_string_equal(task.error.message, "cannot wait for events: Bad file descriptor");
            assert_int_equal(error_count(), 1);
            assert_true(
                log_lines_have(&log_of_server, "cannot wait for events: Bad file descriptor; the server stops"));
            finish();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(a_listener_that_was_shut_down_elsewhere_is_told_once_and_left),
        test_without_leaks(an_inherited_listener_goes_on_elsewhere_when_the_server_ends),
        test_without_leaks(a_loop_whose_poll_was_closed_ends_and_so_does_its_server),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("lost descriptors", tests, NULL, NULL));
}
