/*
 * Sockets that are opened and accepted: by calls that make them as they should be, and by those of systems that have no
 * such calls, whose half of the file is compiled here under other names.
 */
#define _GNU_SOURCE
#include <sys/socket.h>

#undef SOCK_NONBLOCK
#define jz_socket_open twin_open
#define jz_socket_take twin_take
#define jz_socket_raise_no_signal twin_raise_no_signal
#define jz_socket_is_listening twin_is_listening
#include "platform/descriptors.c"
#undef jz_socket_open
#undef jz_socket_take
#undef jz_socket_is_listening

#include <netinet/in.h>

#include "support/resources.h"
#include "support/testing.h"

int jz_socket_open(int family, int type, int protocol);
int jz_socket_take(int listener, struct sockaddr *address, socklen_t *length);
bool jz_socket_is_listening(int descriptor);

static const struct {
    int (*open)(int family, int type, int protocol);
    int (*take)(int listener, struct sockaddr *address, socklen_t *length);
} systems[] = {{jz_socket_open, jz_socket_take}, {twin_open, twin_take}};

static void expect_prepared(int descriptor)
{
    assert_true(descriptor >= 0);
    assert_true((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
}

/* Listens on a free port of 127.0.0.1. */
static int listener_of(size_t system, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = systems[system].open(AF_INET, SOCK_STREAM, 0);
    expect_prepared(listener);
    assert_false(jz_socket_is_listening(listener));
    assert_int_equal(bind(listener, (const struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &length), 0);
    assert_true(jz_socket_is_listening(listener));
    return listener;
}

static void sockets_do_not_block_and_are_closed_by_exec(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(systems); i++) {
        struct sockaddr_in address;
        int listener = listener_of(i, &address);
        assert_int_equal(systems[i].take(listener, NULL, NULL), -1);
        assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
        int client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
        struct sockaddr_in peer;
        struct sockaddr_in own;
        socklen_t length = sizeof peer;
        int accepted = systems[i].take(listener, (struct sockaddr *)&peer, &length);
        expect_prepared(accepted);
        length = sizeof own;
        assert_int_equal(getsockname(client, (struct sockaddr *)&own, &length), 0);
        assert_int_equal(peer.sin_port, own.sin_port);
        close(accepted);
        close(client);
        close(listener);
    }
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(systems); i++) {
        assert_int_equal(systems[i].open(AF_INET, SOCK_STREAM, IPPROTO_UDP), -1);
        assert_int_equal(errno, EPROTONOSUPPORT);
        assert_int_equal(systems[i].take(-1, NULL, NULL), -1);
        assert_int_equal(errno, EBADF);
    }
}

static void what_is_no_socket_does_not_listen(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(jz_socket_is_listening(ends[0]));
    assert_false(jz_socket_is_listening(-1));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(sockets_do_not_block_and_are_closed_by_exec),
        test_without_leaks(what_cannot_be_opened_says_why),
        test_without_leaks(what_is_no_socket_does_not_listen),
    };
    int failed = cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
    return EXIT_STATUS_OF(failed);
}
