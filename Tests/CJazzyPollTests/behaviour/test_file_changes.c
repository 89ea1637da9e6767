/* Files that are changed, replaced or removed, before they are sent and meanwhile. */
#define _DEFAULT_SOURCE

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/site.h"
#include "support/testing.h"

/* A change has another time: see opened_file.c. */
static void a_file_is_served_as_it_is_now(void **state)
{
    (void)state;
    jz_server *server = site_start();
    site_write_text("public/new.txt", "one");
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 200);
    asking_expect_body(&client, "one");
    site_write_text("public/new.txt", "two");
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 200);
    asking_expect_body(&client, "two");
    unlink(site_path("public/new.txt"));
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 404);
    asking_expect_body(&client, NOT_FOUND);
    /* Compressed, too. */
    site_write("public/new.css", site_style, strlen(site_style));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/new.css", "Accept-Encoding: gzip\r\n")), 200);
        site_expect_style(true);
    }
    site_write_text("public/new.css", "p {}");
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/new.css", "Accept-Encoding: gzip\r\n")), 200);
    asking_expect_body(&client, "p {}");
    unlink(site_path("public/new.css"));
    site_finish(server);
}

/* Puts another file in the place: written beside it, with a time that all versions have. */
static void replace_by_letters(char letter, size_t length)
{
    char text[1024];
    memset(text, letter, length);
    site_write("public/beside.css", text, length);
    char from[512];
    strcpy(from, site_path("public/beside.css"));
    const struct timeval times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimes(from, times), 0);
    assert_int_equal(rename(from, site_path("public/built.css")), 0);
}

/* As builds make them whose results are to be the same everywhere. */
static void a_file_that_is_replaced_by_one_of_the_same_time_and_length_is_compressed_anew(void **state)
{
    (void)state;
    enum { LENGTH = 1000 };
    jz_server *server = site_start();
    for (char letter = 'a'; letter < 'd'; letter++) {
        char text[LENGTH];
        char value[64];
        replace_by_letters(letter, LENGTH);
        assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/built.css", "Accept-Encoding: gzip\r\n")),
                         200);
        assert_true(asking_has_line(&client, "Content-Encoding: gzip"));
        site_take_header("Content-Length", value, sizeof value);
        size_t length = (size_t)atoi(value);
        assert_true(test_client_receive(&client, length));
        assert_int_equal(site_unpack(length, text, sizeof text), LENGTH);
        client.start += length;
        assert_int_equal(text[0], letter);
    }
    unlink(site_path("public/built.css"));
    site_finish(server);
}

/* A client that asks whether what it has is still what there is. */
static void who_has_a_file_is_told_that_another_of_the_same_time_and_length_took_its_place(void **state)
{
    (void)state;
    enum { LENGTH = 100 };
    jz_server *server = site_start();
    char request[256] = PAGE_REQUEST("/files/built.css");
    for (char letter = 'a'; letter < 'd'; letter++) {
        char tag[64];
        char text[LENGTH + 1] = "";
        replace_by_letters(letter, LENGTH);
        memset(text, letter, LENGTH);
        assert_int_equal(asking(&client, request), 200);
        asking_expect_body(&client, text);
        site_take_header("ETag", tag, sizeof tag);
        snprintf(request, sizeof request, "GET /files/built.css HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", tag);
        assert_int_equal(asking(&client, request), 304);
    }
    unlink(site_path("public/built.css"));
    site_finish(server);
}

/*
 * A file that was changed just now is not read before a further change would be seen; that is waited for on the loop.
 * All ask before the loop looks. Where this machine is slow, that time may be over, and the loop may look in another
 * order: so there are several rounds.
 */
enum { WAITING = 40 };

static atomic_bool is_held;

static void hold(void *context, jz_page_request page, const jz_request *request)
{
    (void)context, (void)request;
    is_held = true;
    while (is_held)
        sched_yield();
    (void)jz_page_respond(page, &(jz_page_response){.status = 204});
}

static bool others_wait_no_longer_than_the_file(test_client readers[WAITING])
{
    static const char request[] = PAGE_REQUEST("/files/hot.txt");
    size_t waiting = 0;
    assert_true(test_client_send(&other, PAGE_REQUEST("/hold"), strlen(PAGE_REQUEST("/hold"))));
    assert_eventually(is_held);
    site_write_text("public/hot.txt", "hot");
    for (size_t i = 0; i < WAITING; i++)
        assert_true(test_client_send(&readers[i], request, strlen(request)));
    assert_true(test_client_send(&client, PAGE_REQUEST("/files/a.txt"), strlen(PAGE_REQUEST("/files/a.txt"))));
    is_held = false;
    asking_expect(&client, 200, "0123456789");
    for (size_t i = 0; i < WAITING; i++)
        waiting += test_client_hears_nothing(&readers[i]) ? 1 : 0;
    for (size_t i = 0; i < WAITING; i++)
        asking_expect(&readers[i], 200, "hot");
    asking_expect(&other, 204, "");
    return waiting == WAITING;
}

static void a_file_that_was_changed_just_now_keeps_nobody_else_waiting(void **state)
{
    (void)state;
    enum { ENOUGH = 5 };
    static test_client readers[WAITING];
    const jz_options options = site_options();
    jz_server *server = site_create(&options);
    assert_int_equal(jz_server_route_page(server, "/hold", NULL, hold, NULL, NULL), JZ_OK);
    site_run(server);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    for (size_t i = 0; i < WAITING; i++)
        assert_true(test_client_connect(&readers[i], jz_server_port(server), 0));
    int seen = 0;
    uint64_t deadline = test_deadline();
    while (seen < ENOUGH && test_is_before(deadline))
        seen += others_wait_no_longer_than_the_file(readers) ? 1 : 0;
    assert_int_equal(seen, ENOUGH);
    for (size_t i = 0; i < WAITING; i++)
        test_client_close(&readers[i]);
    test_client_close(&other);
    unlink(site_path("public/hot.txt"));
    site_finish(server);
}

/* The last ones when the server stops, which ends before any of them has its file. */
static void who_goes_while_a_file_settles_leaves_nothing_open(void **state)
{
    (void)state;
    enum { GOING = 50 };
    static const char request[] = PAGE_REQUEST("/files/hot.txt");
    jz_server *server = site_start();
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    size_t idle = serving_descriptors();
    for (size_t i = 0; i < GOING; i++) {
        site_write_text("public/hot.txt", "hot");
        assert_true(test_client_connect(&other, jz_server_port(server), 0));
        assert_true(test_client_send(&other, request, strlen(request)));
        if (i % 2 == 0)
            assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/fixed", "")), 200);
        test_client_reset(&other);
    }
    assert_eventually(serving_descriptors() == idle);
    site_write_text("public/hot.txt", "hot");
    assert_true(test_client_send(&client, request, strlen(request)));
    unlink(site_path("public/hot.txt"));
    site_finish(server);
}

/* Rewrites the end of the large file while a client has not taken it, or cuts it off. */
static void change_large(bool is_cut)
{
    if (is_cut) {
        assert_int_equal(truncate(site_path("public/large.bin"), LARGE / 2), 0);
        return;
    }
    int descriptor = open(site_path("public/large.bin"), O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, "X", 1, LARGE - 1), 1);
    close(descriptor);
}

static void a_file_that_changes_while_it_is_sent_ends_the_connection(void **state)
{
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        jz_server *server = site_start();
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
        assert_int_equal(test_client_take_head(&other), 200);
        change_large(is_cut == 1);
        size_t taken = 0;
        while (test_client_receive(&other, 1)) {
            for (; other.start < other.end; other.start++, taken++)
                assert_int_equal(other.bytes[other.start], site_letter_at(taken));
        }
        assert_in_range(taken, 1, LARGE - 1);
        test_client_close(&other);
        assert_eventually(log_lines_have(&lines, "the file \"large.bin\" of the page /files/*file cannot be read: it "
                                                 "was changed while it was sent"));
        site_write("public/large.bin", site_large, LARGE);
        site_finish(server);
    }
}

/* As by `mv`, or by rsync: the file that was opened has still all that it had. */
static void a_file_that_is_replaced_or_removed_while_it_is_sent_comes_whole(void **state)
{
    (void)state;
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        jz_server *server = site_start();
        char from[512];
        site_write("public/moving.bin", site_large, LARGE);
        site_write_text("public/next.bin", "next");
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(
            test_client_send(&other, PAGE_REQUEST("/files/moving.bin"), strlen(PAGE_REQUEST("/files/moving.bin"))));
        assert_int_equal(test_client_take_head(&other), 200);
        snprintf(from, sizeof from, "%s", site_path("public/next.bin"));
        assert_int_equal(is_replaced == 1 ? rename(from, site_path("public/moving.bin"))
                                          : unlink(site_path("public/moving.bin")),
                         0);
        site_expect_large(&other, 0, LARGE);
        test_client_close(&other);
        site_finish(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_served_as_it_is_now),
        cmocka_unit_test(a_file_that_is_replaced_by_one_of_the_same_time_and_length_is_compressed_anew),
        cmocka_unit_test(who_has_a_file_is_told_that_another_of_the_same_time_and_length_took_its_place),
        cmocka_unit_test(a_file_that_was_changed_just_now_keeps_nobody_else_waiting),
        cmocka_unit_test(who_goes_while_a_file_settles_leaves_nothing_open),
        cmocka_unit_test(a_file_that_changes_while_it_is_sent_ends_the_connection),
        cmocka_unit_test(a_file_that_is_replaced_or_removed_while_it_is_sent_comes_whole),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("changes of files", tests, make_site, remove_site));
}
