/*
 * The threads of a server have stacks of the size in its options, on any system; and the error if they cannot start.
 * Everything runs twice: as this process was started, and with a small `ulimit -s`.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/thread_calls.h"

enum { LOOPS = 2, SMALL_LIMIT = 256 * 1024, KIB = 1024, MIB = 1024 * KIB };

/* The C library takes a guard page from a stack, and sanitizers take room for thread-local data. */
enum { TAKEN_AT_MOST = 64 * KIB };

static size_t own_stack_size(void)
{
    pthread_attr_t attributes;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return 0;
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    return size;
}

/* Writes to so much of the stack, from its near end to the far one. */
static uint8_t use_stack(size_t size)
{
    volatile uint8_t page[4 * KIB];
    page[0] = (uint8_t)size;
    uint8_t below = size > 2 * sizeof page ? use_stack(size - 2 * sizeof page) : 0;
    return (uint8_t)(page[0] + below);
}

typedef struct observed {
    size_t expected;
    atomic_size_t size; /* of the thread that ran the handler */
} observed;

static void observe_stack(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    observed *self = context;
    if (event->type != JZ_EVENT_OPEN)
        return;
    use_stack(self->expected / 4);
    self->size = own_stack_size();
}

static void expect_stack(const jz_server *server, const char *request, const observed *observed)
{
    static test_client client;
    assert_true(test_client_open(&client, jz_server_port(server), request));
    assert_eventually(observed->size != 0);
    assert_in_range(observed->size, observed->expected - TAKEN_AT_MOST, observed->expected + TAKEN_AT_MOST);
    test_client_close(&client);
}

static void loops_and_workers_have_the_stack_that_the_options_say(void **state)
{
    (void)state;
    /* The smallest, one that is not a whole number of pages, and the default. They differ widely, because the C library
       reuses the stack of an ended thread if it is large enough and less than four times as large. */
    const size_t sizes[] = {256 * KIB, MIB + 1, jz_options_default().thread_stack_size};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        observed loop = {.expected = sizes[i]};
        observed worker = {.expected = sizes[i]};
        jz_route_options on_workers = jz_route_options_default();
        on_workers.execution = JZ_EXECUTION_WORKERS;
        const serving_route routes[] = {{"/loop", observe_stack, &loop, NULL},
                                        {"/worker", observe_stack, &worker, &on_workers}};
        jz_options options = serving_options(LOOPS);
        options.thread_stack_size = sizes[i];
        jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
        expect_stack(server, UPGRADE_REQUEST("/loop"), &loop);
        loop.size = 0;
        expect_stack(server, UPGRADE_REQUEST("/loop"), &loop); /* handed to the next loop */
        expect_stack(server, UPGRADE_REQUEST("/worker"), &worker);
        jz_server_destroy(server);
    }
}

static void ignore(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)event;
    (void)message;
}

static jz_status start_where_threads_fail(size_t allowed, int number, jz_error *error)
{
    jz_options options = serving_options(LOOPS);
    options.worker_threads = 2;
    jz_route_options on_workers = jz_route_options_default();
    on_workers.execution = JZ_EXECUTION_WORKERS;
    jz_server *server = jz_server_create(&options, error);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", &on_workers, ignore, NULL, error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, error), JZ_OK);
    test_threads_fail_after(allowed, number);
    jz_status status = jz_server_start(server, error);
    test_threads_succeed();
    jz_server_destroy(server);
    return status;
}

static const struct {
    size_t allowed;
    int number;
    jz_status status;
    const char *words[2]; /* what is wrong, and what to do */
} failures[] = {
    {0, EAGAIN, JZ_STATUS_SYSTEM, {"a thread for a worker", "lower thread_stack_size"}},
    {1, EAGAIN, JZ_STATUS_SYSTEM, {"stack of 8388608 bytes", "`ulimit -u`"}},
    {2, EAGAIN, JZ_STATUS_SYSTEM, {"a thread for an event loop", "lower thread_stack_size"}},
    {3, EAGAIN, JZ_STATUS_SYSTEM, {"a thread for an event loop", "`ulimit -u`"}},
    {3, EINVAL, JZ_STATUS_INVALID_OPTION, {"a thread for an event loop", "raise thread_stack_size"}},
    {2, ENOMEM, JZ_STATUS_OUT_OF_MEMORY, {"start a thread", "out of memory"}},
};

static void a_server_whose_threads_cannot_start_says_why_and_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        jz_error error = {0};
        jz_status status = start_where_threads_fail(failures[i].allowed, failures[i].number, &error);
        assert_that(status == failures[i].status, "row %zu: %d: %s", i, (int)status, error.message);
        assert_int_equal(error.status, status);
        for (size_t j = 0; j < COUNT_OF(failures[i].words); j++)
            assert_that(strstr(error.message, failures[i].words[j]) != NULL, "row %zu: %s", i, error.message);
    }
}

/* The C library reads the limit when a program begins. */
static int run_again_with_a_small_limit(const char *self)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return EXIT_FAILURE;
    limit.rlim_cur = SMALL_LIMIT;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        return EXIT_FAILURE;
    execl("/proc/self/exe", self, "with a small limit", (char *)NULL);
    perror("exec");
    return EXIT_FAILURE;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(loops_and_workers_have_the_stack_that_the_options_say),
        test_without_leaks(a_server_whose_threads_cannot_start_says_why_and_leaves_nothing),
    };
    int failed =
        cmocka_run_group_tests_name(count > 1 ? "thread stacks, small limit" : "thread stacks", tests, NULL, NULL);
    if (failed != 0 || count > 1)
        return EXIT_STATUS_OF(failed);
    return run_again_with_a_small_limit(arguments[0]);
}
