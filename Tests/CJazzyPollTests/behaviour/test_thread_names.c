/* What `top -H`, a debugger or a crash report call the threads of a server. */
#define _GNU_SOURCE

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 2, LONGEST = 16 };

typedef struct observed {
    char name[LONGEST];
    atomic_bool is_known;
} observed;

static void observe_name(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    observed *self = context;
    if (event->type != JZ_EVENT_OPEN)
        return;
    assert_int_equal(pthread_getname_np(pthread_self(), self->name, sizeof self->name), 0);
    self->is_known = true;
}

static void loops_and_workers_say_what_they_are(void **state)
{
    (void)state;
    static test_client client;
    jz_route_options on_workers = jz_route_options_default();
    on_workers.execution = JZ_EXECUTION_WORKERS;
    observed first = {.is_known = false};
    observed second = {.is_known = false};
    observed worker = {.is_known = false};
    const struct {
        const char *request;
        observed *observed;
        const char *name;
    } rows[] = {
        {UPGRADE_REQUEST("/first"), &first, "jazzy-loop-0"},
        {UPGRADE_REQUEST("/second"), &second, "jazzy-loop-1"}, /* handed to the next loop */
        {UPGRADE_REQUEST("/worker"), &worker, "jazzy-worker"},
    };
    const serving_route routes[] = {{"/first", observe_name, &first, NULL},
                                    {"/second", observe_name, &second, NULL},
                                    {"/worker", observe_name, &worker, &on_workers}};
    const jz_options options = serving_options(LOOPS);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(test_client_open(&client, jz_server_port(server), rows[i].request));
        assert_eventually(rows[i].observed->is_known);
        assert_string_equal(rows[i].observed->name, rows[i].name);
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(loops_and_workers_say_what_they_are),
    };
    int failed = cmocka_run_group_tests_name("thread names", tests, NULL, NULL);
    return EXIT_STATUS_OF(failed);
}
