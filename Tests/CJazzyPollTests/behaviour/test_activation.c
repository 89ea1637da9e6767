/*
 * Sockets that are passed to a process as by systemd. Each case runs in a child, because this works once per process;
 * the child's exit status says whether all was right.
 */
#define _DEFAULT_SOURCE

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum { FIRST_DESCRIPTOR = 3, MOST_HANDED_OVER = 2 };

static test_client client;
static journal visits = JOURNAL_INITIALIZER;

/* A TCP socket of 127.0.0.1 that listens, as this descriptor. Returns its port. */
static uint16_t hand_over(int number)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 || listen(descriptor, 8) != 0)
        return 0;
    if (descriptor != number) {
        dup2(descriptor, number);
        close(descriptor);
    }
    return ntohs(address.sin_port);
}

static bool is_served(uint16_t port)
{
    if (!test_client_open(&client, port, UPGRADE_REQUEST("/")))
        return false;
    test_client_close(&client);
    return true;
}

static jz_server *create(void)
{
    jz_options options = serving_options(2);
    jz_server *server = jz_server_create(&options, NULL);
    if (server != NULL)
        jz_server_route_ws(server, "/", NULL, journal_handle, &visits, NULL);
    return server;
}

static void set_variables(const char *pid, const char *count)
{
    char own[16];
    snprintf(own, sizeof own, "%ld", (long)getpid());
    if (pid != NULL)
        setenv("LISTEN_PID", strcmp(pid, "own") == 0 ? own : pid, 1);
    else
        unsetenv("LISTEN_PID");
    if (count != NULL)
        setenv("LISTEN_FDS", count, 1);
    else
        unsetenv("LISTEN_FDS");
}

static const struct {
    const char *pid;   /* "own" is the child's */
    const char *count; /* either is NULL where it is not set */
    int sockets;       /* that are there */
    jz_status status;
    const char *words;
} cases[] = {
    {"own", "1", 1, JZ_OK, ""},
    {"own", "2", 2, JZ_OK, ""},
    {"own", "1", 0, JZ_STATUS_INVALID_ADDRESS, "cannot listen on descriptor 3"},
    {"own", "2", 1, JZ_STATUS_INVALID_ADDRESS, "cannot listen on descriptor 4"},
    {NULL, NULL, 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {NULL, "1", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", NULL, 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"1", "1", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"", "1", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", "0", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", "-1", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", "1x", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", "", 1, JZ_STATUS_INVALID_STATE, "no socket was handed to this process"},
    {"own", "17", 1, JZ_STATUS_INVALID_STATE, "17 sockets were handed to this process, and a server has at most 16"},
    {"own", "99999999999999999999", 1, JZ_STATUS_INVALID_STATE, "a server has at most 16"},
};

/* The body of a child. Returns NULL, or what is wrong. */
static const char *listen_in_child(size_t number)
{
    uint16_t ports[MOST_HANDED_OVER] = {0};
    /* Before anything else has these descriptors. */
    for (int i = 0; i < MOST_HANDED_OVER; i++)
        dup2(STDERR_FILENO, FIRST_DESCRIPTOR + i);
    for (int i = 0; i < cases[number].sockets; i++)
        ports[i] = hand_over(FIRST_DESCRIPTOR + i);
    jz_server *server = create();
    if (server == NULL)
        return "no server";
    set_variables(cases[number].pid, cases[number].count);
    jz_error error = {0};
    jz_status status = jz_server_listen_activated(server, &error);
    if (status != cases[number].status || strstr(error.message, cases[number].words) == NULL)
        return error.message[0] != '\0' ? strdup(error.message) : "the status";
    if (status == JZ_OK) {
        jz_server *second = create();
        if (jz_server_listen_activated(second, &error) != JZ_STATUS_INVALID_STATE ||
            strstr(error.message, "are a server's already") == NULL)
            return "twice";
        jz_server_destroy(second);
        if (jz_server_port(server) != ports[0] || jz_server_start(server, NULL) != JZ_OK)
            return "it does not start";
        for (int i = 0; i < cases[number].sockets; i++) {
            if (!is_served(ports[i]))
                return "it does not serve";
        }
    }
    jz_server_destroy(server);
    return NULL;
}

static void expect_child_to_succeed(size_t number)
{
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        const char *complaint = listen_in_child(number);
        if (complaint != NULL)
            fprintf(stderr, "case %zu: %s\n", number, complaint);
        _exit(complaint == NULL ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_that(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "case %zu: status %d", number, status);
}

static void a_server_takes_the_sockets_that_its_process_was_handed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_child_to_succeed(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_takes_the_sockets_that_its_process_was_handed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("activation", tests, NULL, NULL));
}
