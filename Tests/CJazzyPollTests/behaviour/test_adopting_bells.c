/* Connections without a socket: a descriptor that only notifies, and a transport that brings the bytes from memory. */
#define _GNU_SOURCE

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "support/eventually.h"
#include "support/handed.h"
#include "support/memory_transport.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MANY = 20 };

static jz_server *server;
static journal seen;
static memory_network network;
static memory_client client;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->length == 5 && memcmp(message->bytes, "pause", 5) == 0)
        jz_ws_pause_reading(ws);
}

static void begin(void)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    network = (memory_network){0};
    memory_network_begin(&network);
}

static void start(void)
{
    const jz_options options = serving_options(1);
    begin();
    server = handed_start(&options, &seen);
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    assert_int_equal(network.opened, network.closed);
    pthread_mutex_destroy(&seen.lock);
    memory_network_end(&network);
}

static void ask(const memory_client *of)
{
    assert_true(memory_send(of, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
}

static void open_client(memory_client *opened, memory_bell_kind kind, const char *address)
{
    jz_error error = {0};
    size_t before = seen.opens;
    assert_that(memory_adopt(opened, &network, server, kind, address, &error), "%s", error.message);
    ask(opened);
    assert_eventually(seen.opens == before + 1);
}

static void say(const memory_client *of, const test_frame *frame)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_buffer bytes = {0};
    test_frame_append(&bytes, frame, key);
    assert_true(memory_send(of, bytes.bytes, bytes.length));
    jz_buffer_free(&bytes);
}

static size_t sockets(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char target[64] = "";
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) > 0)
            count += strncmp(target, "socket:", 7) == 0;
    }
    closedir(directory);
    return count;
}

static void no_socket_is_there(void **state)
{
    static memory_client clients[MANY];
    (void)state;
    size_t before = sockets();
    start();
    for (size_t i = 0; i < MANY; i++)
        open_client(&clients[i], i % 2 == 0 ? MEMORY_BELL_EVENT : MEMORY_BELL_PIPE, NULL);
    assert_int_equal(handed_statistics(server).connections, MANY);
    assert_int_equal(sockets(), before);
    for (size_t i = 0; i < MANY; i++)
        memory_close(&clients[i]);
    finish();
}

/* Nobody is in front of it, whatever its address: no PROXY header is awaited on a descriptor that has no bytes. */
static void it_has_the_address_that_it_is_given(void **state)
{
    static const struct {
        const char *given;
        const char *told;
    } addresses[] = {{NULL, "unix"}, {"127.0.0.1", "127.0.0.1:0"}, {"192.0.2.7:4711", "192.0.2.7:4711"}};
    static const char *const proxies[] = {"unix", "127.0.0.0/8"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        jz_options options = serving_options(1);
        options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
        options.trusted_proxies = proxies;
        options.trusted_proxy_count = COUNT_OF(proxies);
        char address[JZ_REMOTE_ADDRESS_SIZE];
        begin();
        server = handed_start(&options, &seen);
        open_client(&client, MEMORY_BELL_EVENT, addresses[i].given);
        jz_ws_remote_address(journal_handle_of(&seen, 0), address);
        assert_string_equal(address, addresses[i].told);
        memory_close(&client);
        finish();
    }
}

/* It is no socket, which could say that it is broken: what the hang-up means the channel says. */
static void who_hangs_up_while_reading_is_paused_has_ended(void **state)
{
    (void)state;
    start();
    open_client(&client, MEMORY_BELL_PIPE, NULL);
    say(&client, &(test_frame)TEXT("pause"));
    assert_eventually(seen.messages == 1);
    memory_close(&client);
    journal_expect(&seen, 1, "open text(pause) close(1006 unclean)");
    finish();
}

/* The close frames go out, the client's answer comes, and then the descriptor that cannot be shut down is closed. */
static void a_stop_closes_in_order(void **state)
{
    static const memory_bell_kind kinds[] = {MEMORY_BELL_EVENT, MEMORY_BELL_PIPE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        start();
        open_client(&client, kinds[i], NULL);
        size_t head = 0;
        assert_eventually((head = memory_waiting(&client)) > 0); /* which is sent behind the open event */
        jz_server_stop(server);
        assert_eventually(memory_waiting(&client) > head);
        say(&client, &(test_frame)CLOSE(1001, ""));
        jz_server_wait(server);
        assert_true(memory_is_closed(&client));
        assert_int_equal(jz_server_ending(server).clean, 1);
        memory_close(&client);
        finish();
    }
}

/* Its transport has never heard of it. */
static void what_no_loop_has_taken_is_closed(void **state)
{
    const jz_options options = serving_options(1);
    jz_error error = {0};
    (void)state;
    begin();
    server = handed_create(&options, &seen);
    assert_true(memory_adopt(&client, &network, server, MEMORY_BELL_PIPE, NULL, &error));
    jz_server_stop(server);
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    jz_server_wait(server);
    assert_int_equal(network.opened, 0);
    assert_true(memory_is_closed(&client));
    memory_close(&client);
    finish();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* of clients with pipes */
    const struct CMUnitTest tests[] = {
        test_without_leaks(no_socket_is_there),
        test_without_leaks(it_has_the_address_that_it_is_given),
        test_without_leaks(who_hangs_up_while_reading_is_paused_has_ended),
        test_without_leaks(a_stop_closes_in_order),
        test_without_leaks(what_no_loop_has_taken_is_closed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("adopting bells", tests, NULL, NULL));
}
