/*
 * Every allocation while pages are asked for fails once, on any thread, and in further runs with all that follow it:
 * pages of all kinds, large files, and clients that go. Nothing crashes, hangs or leaks, every handler's request ends,
 * and whoever gets a complete response gets the right one.
 */
#define _DEFAULT_SOURCE

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MOST_ALLOCATIONS = 1000, LARGE = 300 * 1024, STYLE = 4000 };

static test_client client;
static char folder[64];
static atomic_size_t called;
static atomic_size_t ended;
static uint8_t large[LARGE];

static void write_file(const char *name, size_t length)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(large, 1, length, stream), length);
    fclose(stream);
}

static int make_files(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/jazzy-pages-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)('a' + i % 23);
    write_file("large.bin", LARGE);
    write_file("style.css", STYLE);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void ignore_log(void *context, jz_log_level level, const char *line)
{
    (void)context, (void)level, (void)line;
}

static void note_end(void *context, jz_page_request page)
{
    (void)context, (void)page;
    ended++;
}

static void answer(void *context, jz_page_request page, const jz_request *request)
{
    (void)context, (void)request;
    called++;
    jz_page_respond(page, &(jz_page_response){.content_type = "text/plain", .body = "made", .length = 4});
}

/* NULL where it is refused. */
static jz_server *start(void)
{
    jz_options options = serving_options(1);
    options.worker_threads = 1;
    options.handshake_timeout_ms = options.upgrade_timeout_ms = options.close_timeout_ms = 100;
    options.log = ignore_log;
    const jz_page_options on_loop = {.ended = note_end};
    const jz_page_options on_workers = {.execution = JZ_EXECUTION_WORKERS, .ended = note_end};
    jz_error error;
    jz_server *server = jz_server_create(&options, &error);
    if (server != NULL && jz_server_route_page(server, "/loop", &on_loop, answer, NULL, &error) == JZ_OK &&
        jz_server_route_page(server, "/worker/:id", &on_workers, answer, NULL, &error) == JZ_OK &&
        jz_server_route_folder(server, "/files/", folder, NULL, &error) == JZ_OK &&
        jz_server_listen(server, "127.0.0.1", 0, &error) == JZ_OK && jz_server_start(server, &error) == JZ_OK)
        return server;
    assert_int_equal(error.status, JZ_STATUS_OUT_OF_MEMORY);
    jz_server_destroy(server);
    return NULL;
}

/* What a client asks for on one connection, and gets, unless the connection ends before. */
static const struct {
    const char *request;
    size_t length; /* of the content */
    bool is_large; /* the content of the large file; otherwise it is "made" or compressed */
} visits[] = {
    {"GET /loop HTTP/1.1\r\nHost: a\r\n\r\nGET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 4, false},
    {"", 4, false},
    {"GET /worker/1 HTTP/1.1\r\nHost: a\r\n\r\n", 4, false},
    {"GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n", LARGE, true},
    {"GET /files/style.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", 0, false},
};

/* The length of the content, which follows the head that was taken; 0 if there is none. */
static size_t content_length(void)
{
    static const char name[] = "Content-Length: ";
    char head[4096] = "";
    if (client.start >= sizeof head)
        return 0;
    memcpy(head, client.bytes, client.start);
    const char *found = strstr(head, name);
    return found != NULL ? (size_t)atoi(found + strlen(name)) : 0;
}

/* False where the connection ends before the content does. */
static bool take_content(size_t length, bool is_large)
{
    for (size_t position = 0; position < length;) {
        size_t piece = length - position < 50000 ? length - position : 50000;
        if (!test_client_receive(&client, piece))
            return false;
        if (is_large)
            assert_memory_equal(client.bytes + client.start, large + position, piece);
        client.start += piece;
        position += piece;
    }
    return true;
}

/* Whether it gets an answer to everything. */
static bool visit(const jz_server *server)
{
    if (!test_client_connect(&client, jz_server_port(server), 4096))
        return false;
    size_t answered = 0;
    for (size_t i = 0; i < COUNT_OF(visits); i++) {
        memmove(client.bytes, client.bytes + client.start, client.end - client.start);
        client.end -= client.start;
        client.start = 0;
        if (!test_client_send(&client, visits[i].request, strlen(visits[i].request)))
            break;
        int status = test_client_take_head(&client);
        if (status == 0 || !take_content(content_length(), visits[i].is_large && status == 200))
            break;
        answered++;
    }
    test_client_close(&client);
    return answered == COUNT_OF(visits);
}

typedef void fail_allocations(size_t count);

static size_t walk(fail_allocations *begin_failing)
{
    for (size_t allowed = 0; allowed < MOST_ALLOCATIONS; allowed++) {
        size_t live = test_live_allocations();
        size_t descriptors = serving_descriptors();
        called = ended = 0;
        begin_failing(allowed);
        jz_server *server = start();
        bool is_whole = server != NULL && visit(server);
        jz_server_destroy(server);
        size_t refused = test_allocations_succeed();
        assert_that(called == ended, "allocation %zu: %zu called, %zu ended", allowed, called, ended);
        assert_that(test_live_allocations() == live, "allocation %zu: leaks", allowed);
        assert_that(serving_descriptors() == descriptors, "allocation %zu: something is left open", allowed);
        /* A client that stands still is cut off before everything is allocated. */
        if (refused == 0 && is_whole)
            return allowed;
    }
    fail_msg("no end of allocations");
    return 0;
}

static void one_allocation_that_fails_does_no_harm(void **state)
{
    (void)state;
    assert_in_range(walk(test_allocation_fails_once_after), 50, MOST_ALLOCATIONS);
}

static void no_more_memory_does_no_harm(void **state)
{
    (void)state;
    assert_in_range(walk(test_allocations_fail_after), 50, MOST_ALLOCATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_that_fails_does_no_harm),
        cmocka_unit_test(no_more_memory_does_no_harm),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("pages without memory", tests, make_files, remove_files));
}
