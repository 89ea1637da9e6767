#include "loop/socket.h"

#include <sys/socket.h>

#include "jazzy/websocket.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/testing.h"

static test_client client;

typedef struct fixture {
    int listener;
    int accepted;
    jz_address address;
} fixture;

static void start(fixture *f)
{
    uint16_t port = 0;
    jz_error error = {0};
    const jz_listening listening = {.backlog = 16, .keep_alive_seconds = 60};
    assert_that(jz_socket_listen("127.0.0.1", 0, &listening, &f->listener, &port, &error) == JZ_OK, "%s",
                error.message);
    assert_int_equal(jz_socket_accept(f->listener, &f->accepted, &f->address), JZ_SOCKET_WOULD_BLOCK);
    assert_true(test_client_connect(&client, port, 4096));
    assert_eventually(jz_socket_accept(f->listener, &f->accepted, &f->address) == JZ_SOCKET_OK);
}

static void finish(fixture *f)
{
    test_client_close(&client);
    jz_socket_close(f->accepted);
    jz_socket_close(f->listener);
}

static void an_accepted_socket_knows_its_peer(void **state)
{
    (void)state;
    fixture f;
    char expected[32];
    char text[JZ_REMOTE_ADDRESS_SIZE];
    start(&f);
    test_client_address(&client, expected);
    jz_address_format(&f.address, text, sizeof text);
    assert_string_equal(text, expected);
    finish(&f);
}

static void what_is_sent_is_received_and_nothing_else_is_waited_for(void **state)
{
    (void)state;
    fixture f;
    uint8_t bytes[16];
    size_t count = 0;
    start(&f);
    assert_int_equal(jz_socket_receive(f.accepted, bytes, sizeof bytes, &count), JZ_SOCKET_WOULD_BLOCK);
    assert_true(test_client_send(&client, "hello", 5));
    assert_eventually(jz_socket_receive(f.accepted, bytes, 3, &count) == JZ_SOCKET_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(bytes, "hel", 3);
    assert_int_equal(jz_socket_receive(f.accepted, bytes, sizeof bytes, &count), JZ_SOCKET_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(bytes, "lo", 2);
    finish(&f);
}

static void pieces_are_sent_in_their_order(void **state)
{
    (void)state;
    fixture f;
    jz_piece pieces[JZ_MOST_PIECES + 1];
    size_t sent = 0;
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        pieces[i] = (jz_piece){(const uint8_t *)"ab" + i % 2, 1};
    start(&f);
    assert_int_equal(jz_socket_send_pieces(f.accepted, pieces, COUNT_OF(pieces), &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, JZ_MOST_PIECES); /* no more at a time */
    assert_int_equal(jz_socket_send(f.accepted, (const uint8_t *)"end", 3, &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, 3);
    assert_true(test_client_receive(&client, JZ_MOST_PIECES + 3));
    for (size_t i = 0; i < JZ_MOST_PIECES; i++)
        assert_int_equal(client.bytes[i], "ab"[i % 2]);
    assert_memory_equal(client.bytes + JZ_MOST_PIECES, "end", 3);
    finish(&f);
}

static void a_peer_that_does_not_read_blocks_only_itself(void **state)
{
    (void)state;
    static const uint8_t much[65536];
    const jz_piece piece = {much, sizeof much};
    fixture f;
    size_t sent = 0;
    start(&f);
    jz_socket_result result = JZ_SOCKET_OK;
    while (result == JZ_SOCKET_OK)
        result = jz_socket_send(f.accepted, much, sizeof much, &sent);
    assert_int_equal(result, JZ_SOCKET_WOULD_BLOCK);
    /* The peer's kernel may still take a little. */
    assert_eventually(jz_socket_send_pieces(f.accepted, &piece, 1, &sent) == JZ_SOCKET_WOULD_BLOCK);
    finish(&f);
}

static void it_is_told_how_much_the_peers_kernel_has_taken_whether_or_not_it_is_read(void **state)
{
    (void)state;
    static const uint8_t much[65536];
    fixture f;
    size_t sent = 0;
    start(&f);
    uint64_t before = jz_socket_acknowledged(f.accepted);
    assert_int_equal(jz_socket_send(f.accepted, much, 1000, &sent), JZ_SOCKET_OK);
    assert_eventually(jz_socket_unacknowledged(f.accepted) == 0);
    assert_int_equal(jz_socket_acknowledged(f.accepted) - before, 1000);
    size_t total = 1000;
    while (jz_socket_send(f.accepted, much, sizeof much, &sent) == JZ_SOCKET_OK)
        total += sent;
    /* Bytes sent meanwhile are not included. */
    assert_true(jz_socket_unacknowledged(f.accepted) > sizeof client.bytes);
    assert_true(jz_socket_acknowledged(f.accepted) - before < total);
    for (size_t left = total; left > 0;) {
        size_t part = left < sizeof client.bytes ? left : sizeof client.bytes;
        assert_true(test_client_receive(&client, part));
        client.start += part;
        left -= part;
    }
    assert_eventually(jz_socket_acknowledged(f.accepted) - before == total);
    assert_int_equal(jz_socket_unacknowledged(f.accepted), 0);
    finish(&f);
}

static void of_a_unix_domain_socket_it_is_told_how_much_less_waits(void **state)
{
    (void)state;
    int pair[2];
    uint8_t bytes[1000] = {0};
    size_t count = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    uint64_t before = jz_socket_acknowledged(pair[0]);
    assert_int_equal(jz_socket_send(pair[0], bytes, sizeof bytes, &count), JZ_SOCKET_OK);
    assert_true(jz_socket_unacknowledged(pair[0]) >= sizeof bytes);
    uint64_t waiting = jz_socket_acknowledged(pair[0]);
    assert_true(waiting < before);
    assert_int_equal(jz_socket_receive(pair[1], bytes, sizeof bytes, &count), JZ_SOCKET_OK);
    assert_int_equal(jz_socket_unacknowledged(pair[0]), 0);
    assert_true(jz_socket_acknowledged(pair[0]) - waiting >= sizeof bytes);
    jz_socket_close(pair[0]);
    jz_socket_close(pair[1]);
}

static void the_end_of_the_peers_stream_is_no_failure(void **state)
{
    (void)state;
    fixture f;
    uint8_t byte;
    size_t count = 0;
    start(&f);
    test_client_close(&client);
    assert_eventually(jz_socket_receive(f.accepted, &byte, 1, &count) == JZ_SOCKET_ENDED);
    finish(&f);
}

static void a_reset_is_a_failure_and_no_signal(void **state)
{
    (void)state;
    const jz_piece piece = {(const uint8_t *)"x", 1};
    fixture f;
    uint8_t byte;
    size_t count = 0;
    start(&f);
    test_client_reset(&client);
    assert_eventually(jz_socket_receive(f.accepted, &byte, 1, &count) == JZ_SOCKET_BROKEN);
    assert_int_equal(jz_socket_send(f.accepted, &byte, 1, &count), JZ_SOCKET_BROKEN); /* SIGPIPE would end the test */
    assert_int_equal(jz_socket_send_pieces(f.accepted, &piece, 1, &count), JZ_SOCKET_BROKEN);
    finish(&f);
}

static void finishing_to_send_lets_the_peer_go_on(void **state)
{
    (void)state;
    fixture f;
    uint8_t byte;
    size_t count = 0;
    start(&f);
    jz_socket_finish_sending(f.accepted);
    assert_true(test_client_sees_end(&client));
    assert_true(test_client_send(&client, "x", 1));
    assert_eventually(jz_socket_receive(f.accepted, &byte, 1, &count) == JZ_SOCKET_OK);
    assert_int_equal(byte, 'x');
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_socket_knows_its_peer),
        cmocka_unit_test(what_is_sent_is_received_and_nothing_else_is_waited_for),
        cmocka_unit_test(pieces_are_sent_in_their_order),
        cmocka_unit_test(a_peer_that_does_not_read_blocks_only_itself),
        cmocka_unit_test(it_is_told_how_much_the_peers_kernel_has_taken_whether_or_not_it_is_read),
        cmocka_unit_test(of_a_unix_domain_socket_it_is_told_how_much_less_waits),
        cmocka_unit_test(the_end_of_the_peers_stream_is_no_failure),
        cmocka_unit_test(a_reset_is_a_failure_and_no_signal),
        cmocka_unit_test(finishing_to_send_lets_the_peer_go_on),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("socket", tests, NULL, NULL));
}
