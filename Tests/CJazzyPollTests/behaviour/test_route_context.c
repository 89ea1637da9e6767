/* What a route was registered with, found from a handle on any thread. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { ROUTES = 5, CLIENTS = ROUTES, SEEKERS = 4 };

static const char *const spoken[] = {"v1", "v2"};

/* What is known of one route, and seen by its handler; its address is the route's context. */
typedef struct place {
    atomic_size_t calls;
    atomic_size_t strays;    /* in which the handle led elsewhere, or nowhere */
    atomic_size_t strangers; /* in which the message was another connection's */
    atomic_size_t closes;
    _Atomic uint64_t ws;
} place;

static place places[ROUTES];

static void take(void *visitor, void *context)
{
    *(void **)visitor = context;
}

/* NULL: the connection is gone. */
static void *context_of(jz_ws ws)
{
    static int wrong;
    void *found = NULL;
    bool is_there = jz_ws_visit_context(ws, take, &found);
    return is_there == (found != NULL) ? found : &wrong;
}

static void look(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    place *place = context;
    (void)message;
    place->calls++;
    place->ws = ws.value;
    place->strays += context_of(ws) != place;
    place->strangers += event->type == JZ_EVENT_MESSAGE && jz_current_ws().value != ws.value;
    place->closes += event->type == JZ_EVENT_CLOSE;
}

static jz_server *start(uint32_t threads)
{
    memset(places, 0, sizeof places);
    static jz_route_options speaking;
    speaking = jz_route_options_default();
    speaking.subprotocols = spoken;
    speaking.subprotocol_count = COUNT_OF(spoken);
    static jz_route_options working;
    working = speaking;
    working.execution = JZ_EXECUTION_WORKERS;
    const serving_route routes[ROUTES] = {{"/plain", look, &places[0], NULL},
                                          {"/speaking", look, &places[1], &speaking},
                                          {"/another", look, &places[2], NULL},
                                          {"/working", look, &places[3], &working},
                                          {"/:any", look, &places[4], &speaking}};
    jz_options options = serving_options(threads);
    return serving_start(&options, routes, ROUTES);
}

static const char *const requests[CLIENTS] = {
    UPGRADE_REQUEST("/plain"),     UPGRADE_REQUEST_WITH("/speaking", "Sec-WebSocket-Protocol: v2\r\n"),
    UPGRADE_REQUEST("/another"),   UPGRADE_REQUEST_WITH("/working", "Sec-WebSocket-Protocol: v1\r\n"),
    UPGRADE_REQUEST("/something"),
};
static const char *const agreed[CLIENTS] = {"", "v2", "", "v1", ""};

static test_client clients[CLIENTS];

static void a_handle_leads_to_its_route_as_long_as_the_connection_is_there(void **state)
{
    (void)state;
    assert_null(context_of((jz_ws){0}));
    assert_int_equal(jz_current_ws().value, 0);
    jz_server *server = start(2);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(server), requests[i]));
        test_client_send_frame(&clients[i], &(test_frame)TEXT("x"));
        assert_eventually(places[i].calls == 2);
        assert_true(context_of((jz_ws){places[i].ws}) == &places[i]);
        assert_string_equal(jz_ws_subprotocol((jz_ws){places[i].ws}), agreed[i]);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        test_client_close(&clients[i]);
        assert_eventually(places[i].closes == 1);
        assert_eventually(context_of((jz_ws){places[i].ws}) == NULL);
    }
    jz_server_destroy(server);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(places[i].calls, 3);
        assert_int_equal(places[i].strays, 0);
        assert_int_equal(places[i].strangers, 0);
        assert_null(context_of((jz_ws){places[i].ws}));
    }
}

static struct {
    atomic_bool is_over;
    atomic_size_t strays;
} seeking;

/* A handle leads to its route, or nowhere: never to the route of the connection that has its slot now. */
static void *seek(void *unused)
{
    (void)unused;
    while (!seeking.is_over) {
        for (size_t i = 0; i < CLIENTS; i++) {
            void *found = context_of((jz_ws){places[i].ws});
            seeking.strays += found != NULL && found != &places[i];
        }
    }
    return NULL;
}

static void other_threads_never_find_another_route(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    seeking.is_over = false;
    seeking.strays = 0;
    jz_server *server = start(1);
    pthread_t threads[SEEKERS];
    for (size_t i = 0; i < SEEKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seek, NULL), 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t i = round % CLIENTS;
        assert_true(test_client_open(&clients[i], jz_server_port(server), requests[i]));
        test_client_close(&clients[i]);
        assert_eventually(places[i].closes == round / CLIENTS + 1);
    }
    jz_server_destroy(server);
    seeking.is_over = true;
    for (size_t i = 0; i < SEEKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(seeking.strays, 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(places[i].strays, 0);
}

static void one_server_has_only_so_many_routes_and_subprotocols(void **state)
{
    (void)state;
    enum { MOST = 65535, SUBPROTOCOLS = 256, EACH = 1 + SUBPROTOCOLS };
    static char names[SUBPROTOCOLS][8];
    const char *subprotocols[SUBPROTOCOLS];
    for (int i = 0; i < SUBPROTOCOLS; i++) {
        snprintf(names[i], sizeof names[i], "v%d", i);
        subprotocols[i] = names[i];
    }
    jz_route_options options = jz_route_options_default();
    options.subprotocols = subprotocols;
    options.subprotocol_count = SUBPROTOCOLS;
    jz_error error = {0};
    jz_server *server = jz_server_create(NULL, &error);
    assert_non_null(server);
    for (int i = 0; i < MOST / EACH; i++) {
        char path[16];
        snprintf(path, sizeof path, "/%d", i);
        assert_that(jz_server_route_ws(server, path, &options, look, NULL, &error) == JZ_OK, "%s", error.message);
    }
    assert_int_equal(jz_server_route_ws(server, "/one-more", NULL, look, NULL, &error), JZ_STATUS_INVALID_ROUTE);
    assert_string_equal(error.message, "route \"/one-more\": one server has at most 65535 WebSocket routes and "
                                       "subprotocols of them, in all");
    assert_int_equal(jz_server_route_get(server, "/page", "text/plain", "", 0, &error), JZ_OK);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_leads_to_its_route_as_long_as_the_connection_is_there),
        cmocka_unit_test(one_server_has_only_so_many_routes_and_subprotocols),
        cmocka_unit_test(other_threads_never_find_another_route),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("contexts of routes", tests, NULL, NULL));
}
