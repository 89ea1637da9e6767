/* Sockets that a server has not accepted become its connections, whether or not it listens and runs. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection/handle.h"
#include "support/eventually.h"
#include "support/handed.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MANY = 6 };

static jz_server *server;
static journal seen;
static test_client client;
static test_client clients[MANY];
static _Atomic int to_be_adopted; /* in the handler of the message "adopt"; -1: nothing */

/* Echoes. */
static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE || message->kind > JZ_MESSAGE_BINARY)
        return;
    if (message->length == 5 && memcmp(message->bytes, "adopt", 5) == 0 &&
        jz_server_adopt(server, to_be_adopted, NULL, NULL) == JZ_OK)
        to_be_adopted = -1;
    jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void begin(void)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
}

static void start(uint32_t threads)
{
    const jz_options options = serving_options(threads);
    begin();
    server = handed_start(&options, &seen);
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static void expect_echo(test_client *of, const char *text)
{
    test_client_send_frame(of, &(test_frame){.fin = true, .opcode = 1, .payload = {text, strlen(text), strlen(text)}});
    test_client_expect(of, 1, text, strlen(text));
}

static void leave(test_client *of)
{
    test_client_send_frame(of, &(test_frame)CLOSE(1000, ""));
    test_client_expect(of, 8, "\x03\xE8", 2);
    assert_true(test_client_sees_end(of));
    test_client_close(of);
}

static void expect_address(const char *text)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    assert_eventually(seen.opens == 1);
    jz_ws_remote_address(journal_handle_of(&seen, 0), address);
    assert_string_equal(address, text);
}

static void a_socket_becomes_a_connection(void **state)
{
    (void)state;
    start(1);
    handed_open(server, &client);
    expect_address("unix");
    assert_int_equal(jz_server_port(server), 0);
    assert_int_equal(handed_statistics(server).connections, 1);
    assert_int_equal(handed_statistics(server).websockets_total, 1);
    expect_echo(&client, "hello");
    leave(&client);
    journal_expect(&seen, 1, "open text(hello) close(1000 clean)");
    assert_eventually(handed_statistics(server).connections == 0);
    finish();
}

/* What came before the server had it is there. */
static void what_its_peer_has_sent_before_is_received(void **state)
{
    (void)state;
    start(1);
    int descriptor = test_client_pair(&client);
    assert_true(test_client_send(&client, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
    test_client_send_frame(&client, &(test_frame)TEXT("early"));
    assert_int_equal(jz_server_adopt(server, descriptor, NULL, NULL), JZ_OK);
    assert_int_equal(test_client_take_head(&client), 101);
    test_client_expect(&client, 1, "early", 5);
    leave(&client);
    finish();
}

/* A pair of connected TCP sockets: the client has one, the other is returned. */
static int tcp_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_true(test_client_connect(&client, ntohs(address.sin_port), 0));
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    close(listener);
    return accepted;
}

static int option_of(int descriptor, int level, int name)
{
    int value = 0;
    socklen_t length = sizeof value;
    assert_int_equal(getsockopt(descriptor, level, name, &value, &length), 0);
    return value;
}

/* As accepted ones are, which inherit it from their listener. */
static void a_tcp_socket_is_set_up_as_an_accepted_one(void **state)
{
    (void)state;
    char address[32];
    start(1);
    int descriptor = tcp_pair();
    test_client_address(&client, address);
    assert_int_equal(jz_server_adopt(server, descriptor, NULL, NULL), JZ_OK);
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    expect_address(address);
    assert_int_equal(option_of(descriptor, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(descriptor, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_true((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    leave(&client);
    finish();
}

/* Who hands a connection over often knows more of it than the socket. */
static void the_address_may_be_given(void **state)
{
    static const struct {
        const char *given;
        const char *told;
    } addresses[] = {
        {NULL, "unix"},
        {"192.0.2.7:4711", "192.0.2.7:4711"},
        {"192.0.2.7", "192.0.2.7:0"},
        {"[2001:db8::7]:80", "[2001:db8::7]:80"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        start(1);
        const jz_adopt_options options = {.remote_address = addresses[i].given};
        handed_connect(server, &client, &options);
        assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
        expect_address(addresses[i].told);
        leave(&client);
        finish();
    }
}

/* Like any connection from a trusted proxy's address. */
static void a_trusted_proxy_begins_with_a_proxy_header(void **state)
{
    static const char request[] = "PROXY TCP4 198.51.100.9 192.0.2.1 5000 80\r\n" UPGRADE_REQUEST("/");
    static const char *const proxies[] = {"unix", "192.0.2.0/24"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(proxies); i++) {
        jz_options options = serving_options(1);
        options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
        options.trusted_proxies = &proxies[i];
        options.trusted_proxy_count = 1;
        begin();
        server = handed_start(&options, &seen);
        const jz_adopt_options adopting = {.remote_address = i == 1 ? "192.0.2.7:4711" : NULL};
        handed_connect(server, &client, &adopting);
        assert_true(test_client_upgrade(&client, request));
        expect_address("198.51.100.9:5000");
        leave(&client);
        finish();
    }
}

static void loops_get_them_in_turn(void **state)
{
    (void)state;
    size_t of_loop[2] = {0};
    start(2);
    for (size_t i = 0; i < MANY; i++)
        handed_open(server, &clients[i]);
    assert_eventually(seen.opens == MANY);
    for (size_t i = 0; i < MANY; i++)
        of_loop[jz_handle_loop(journal_handle_of(&seen, i))]++;
    assert_int_equal(of_loop[0], MANY / 2);
    for (size_t i = 0; i < MANY; i++)
        leave(&clients[i]);
    finish();
}

static void a_handler_may_adopt(void **state)
{
    (void)state;
    start(1);
    handed_open(server, &client);
    to_be_adopted = test_client_pair(&clients[0]);
    expect_echo(&client, "adopt");
    assert_int_equal(to_be_adopted, -1);
    assert_true(test_client_upgrade(&clients[0], UPGRADE_REQUEST("/")));
    expect_echo(&clients[0], "me");
    leave(&clients[0]);
    leave(&client);
    finish();
}

/* As a program that inetd starts: it serves the connection that is its standard input, and ends. */
static void a_server_with_one_connection_ends_with_it(void **state)
{
    (void)state;
    const jz_options options = serving_options(1);
    jz_error error = {0};
    int standard_input = dup(STDIN_FILENO);
    assert_true(standard_input >= 0);
    int descriptor = test_client_pair(&client);
    assert_int_equal(dup2(descriptor, STDIN_FILENO), STDIN_FILENO);
    close(descriptor);
    begin();
    server = handed_create(&options, &seen);
    assert_int_equal(jz_server_adopt(server, STDIN_FILENO, NULL, NULL), JZ_OK);
    jz_server_drain(server, JZ_NEVER);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    expect_echo(&client, "only me");
    leave(&client);
    jz_server_wait(server);
    finish();
    assert_int_equal(dup2(standard_input, STDIN_FILENO), STDIN_FILENO);
    close(standard_input);
}

/* It sends the other end of a pair, keeps a copy of it, and is its client. Returns the exit status. */
static int pass_on_and_talk(int channel)
{
    int other = test_client_pair(&client);
    char byte = 0;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    control.header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &other, sizeof other);
    if (sendmsg(channel, &message, 0) != 1)
        return 1;
    if (!test_client_upgrade(&client, UPGRADE_REQUEST("/")))
        return 2;
    return test_client_sees_end(&client) ? 0 : 3;
}

static int receive_descriptor(int channel)
{
    int descriptor = -1;
    char byte;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    assert_int_equal(recvmsg(channel, &message, 0), 1);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    assert_non_null(header);
    assert_int_equal(header->cmsg_type, SCM_RIGHTS);
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

/* The connection ends although the other process still has its descriptor. */
static void what_another_process_passes_on_is_served(void **state)
{
    (void)state;
    int channel[2];
    int status = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(pass_on_and_talk(channel[1]));
    start(2);
    assert_int_equal(jz_server_adopt(server, receive_descriptor(channel[0]), NULL, NULL), JZ_OK);
    assert_eventually(seen.opens == 1);
    jz_ws_terminate(journal_handle_of(&seen, 0));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(channel[0]);
    close(channel[1]);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(a_socket_becomes_a_connection),
        test_without_leaks(what_its_peer_has_sent_before_is_received),
        test_without_leaks(a_tcp_socket_is_set_up_as_an_accepted_one),
        test_without_leaks(the_address_may_be_given),
        test_without_leaks(a_trusted_proxy_begins_with_a_proxy_header),
        test_without_leaks(loops_get_them_in_turn),
        test_without_leaks(a_handler_may_adopt),
        test_without_leaks(a_server_with_one_connection_ends_with_it),
        test_without_leaks(what_another_process_passes_on_is_served),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("adopting", tests, NULL, NULL));
}
