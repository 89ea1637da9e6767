/* Files and folders as pages: what is served, what never is, and what becomes of files that change. */
#define _DEFAULT_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "jazzy.h"
#include "loop/timer.h"
#include "session/memory.h"
#include "support/allocation.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LONG_MS = 20000, LARGE = 8 * 1024 * 1024, LITTLE_BUFFER = 4096 };

static test_client client;
static test_client other;
static log_lines lines;
static char top[64];
static char file[512];

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

/* The path of a file in the test's folder; valid until the next call. */
static const char *in(const char *name)
{
    snprintf(file, sizeof file, "%s/%s", top, name);
    return file;
}

static void write_bytes(const char *name, const void *bytes, size_t length)
{
    FILE *stream = fopen(in(name), "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, length, stream), length);
    fclose(stream);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static uint8_t large[LARGE];

/* A letter that depends on its place, so that a piece in the wrong one is noticed. */
static uint8_t letter_at(size_t position)
{
    return (uint8_t)('a' + position % 23);
}

static const char style[] = "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                            "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                            "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                            "body { color: red; } body { color: red; } body { color: red; } body { color: red; } ";

static int make_files(void **state)
{
    (void)state;
    strcpy(top, "/tmp/jazzy-files-XXXXXX");
    if (mkdtemp(top) == NULL)
        return -1;
    static const char *const folders[] = {
        "public", "public/sub", "public/empty", "public/.well-known", "public/.git", "public/sub/.well-known"};
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        mkdir(in(folders[i]), 0755);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = letter_at(i);
    write_text("secret.txt", "secret");
    write_text("public/index.html", "<p>index</p>");
    write_text("public/a.txt", "0123456789");
    write_text("public/nothing.txt", "");
    write_text("public/caf\xC3\xA9 au lait.txt", "coffee");
    write_text("public/back\\slash", "odd");
    write_text("public/...", "dots");
    write_text("public/.hidden", "hidden");
    write_text("public/.git/config", "hidden");
    write_text("public/.well-known/acme", "token");
    write_text("public/sub/.well-known/acme", "hidden");
    write_text("public/sub/index.html", "<p>sub</p>");
    write_text("public/sub/data.JSON", "{}");
    write_bytes("public/style.css", style, strlen(style));
    write_bytes("public/large.bin", large, LARGE);
    symlink("../secret.txt", in("public/link.txt"));
    symlink("a.txt", in("public/inner.txt"));
    symlink("..", in("public/up"));
    symlink("/", in("public/root"));
    mkfifo(in("public/pipe"), 0644);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", top);
    return system(command);
}

static jz_options patient_options(void)
{
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = options.upgrade_timeout_ms = options.close_timeout_ms = LONG_MS;
    log_lines_begin(&lines, &options);
    return options;
}

static jz_server *create(const jz_options *options)
{
    char public[128];
    snprintf(public, sizeof public, "%s/public", top);
    jz_error error;
    jz_server *server = jz_server_create(options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_get(server, "/fixed", "text/plain", "fixed", 5, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/socket", NULL, handle_nothing, NULL, NULL), JZ_OK);
    assert_that(jz_server_route_folder(server, "/files/", public, NULL, &error) == JZ_OK, "%s", error.message);
    const jz_file_options bare = {.index = "", .cache_control = "max-age=60", .content_type = "text/x-bare"};
    assert_int_equal(jz_server_route_folder(server, "/bare/:any/", public, &bare, NULL), JZ_OK);
    assert_int_equal(jz_server_route_file(server, "/one", in("public/inner.txt"), NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    return server;
}

static jz_server *run(jz_server *server)
{
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    return server;
}

static jz_server *start(void)
{
    const jz_options options = patient_options();
    return run(create(&options));
}

static void finish(jz_server *server)
{
    test_client_close(&client);
    jz_server_destroy(server);
}

#define NOT_FOUND "Not Found: there is no such file\n"
#define NO_ROUTE "Not Found: there is no route with this path\n"

static const struct {
    const char *path;
    int status;
    const char *body;
} paths[] = {
    {"/files/", 200, "<p>index</p>"},
    {"/files/index.html", 200, "<p>index</p>"},
    {"/files/a.txt", 200, "0123456789"},
    {"/files/a.txt?x=/../../secret.txt", 200, "0123456789"},
    {"/files/nothing.txt", 200, ""},
    {"/files/caf%C3%A9%20au%20lait.txt", 200, "coffee"},
    {"/files/%61.txt", 200, "0123456789"},
    {"/files/back%5Cslash", 200, "odd"},
    {"/files/sub/", 200, "<p>sub</p>"},
    {"/files/sub/data.JSON", 200, "{}"},
    {"/files/sub/../a.txt", 200, "0123456789"},
    {"/files/.well-known/acme", 200, "token"},
    {"/one", 200, "0123456789"},
    {"/bare/x/a.txt", 200, "0123456789"},
    {"/bare/x/", 404, NO_ROUTE},
    {"/bare/x/sub/", 404, NOT_FOUND},
    /* What is not there, and what is no file. */
    {"/files", 404, NO_ROUTE},
    {"/files/none", 404, NOT_FOUND},
    {"/files/a.txt/", 404, NOT_FOUND},
    {"/files/a.txt/b", 404, NOT_FOUND},
    {"/files/sub", 404, NOT_FOUND},
    {"/files/empty/", 404, NOT_FOUND},
    {"/files/pipe", 404, NOT_FOUND},
    /* What must not be. */
    {"/files/../secret.txt", 404, NO_ROUTE},
    {"/files/sub/../../secret.txt", 404, NO_ROUTE},
    {"/files/%2e%2e/secret.txt", 404, NO_ROUTE},
    {"/files/..%2fsecret.txt", 404, NO_ROUTE},
    {"/files/..%2Fsecret.txt", 404, NO_ROUTE},
    {"/files/%2e%2e%2fsecret.txt", 404, NO_ROUTE},
    {"/files/%252e%252e%252fsecret.txt", 404, NOT_FOUND},
    {"/files/..%5csecret.txt", 404, NOT_FOUND},
    {"/files/..;/secret.txt", 404, NOT_FOUND},
    {"/files//secret.txt", 404, NO_ROUTE},
    {"/files//etc/passwd", 404, NO_ROUTE},
    {"/files/%2fetc%2fpasswd", 404, NO_ROUTE},
    {"/files/sub//index.html", 404, NOT_FOUND},
    {"/files/%c0%ae%c0%ae/secret.txt", 404, NOT_FOUND},
    {"/files/link.txt", 404, NOT_FOUND},
    {"/files/inner.txt", 404, NOT_FOUND},
    {"/files/up/secret.txt", 404, NOT_FOUND},
    {"/files/root/etc/passwd", 404, NOT_FOUND},
    {"/files/.hidden", 404, NOT_FOUND},
    {"/files/%2ehidden", 404, NOT_FOUND},
    {"/files/.git/config", 404, NOT_FOUND},
    {"/files/...", 404, NOT_FOUND},
    {"/files/sub/.well-known/acme", 404, NOT_FOUND},
    {"/files/.well-known/", 404, NOT_FOUND},
    {"/files/a.txt%00.html", 400, "Bad Request: the path has a NUL, as %00\n"},
};

/* On one connection, except where it ends. */
static void no_path_leads_out_of_the_folder(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i].path);
        int status = asking(&client, request);
        assert_that(status == paths[i].status, "%d for %s", status, paths[i].path);
        asking_expect_body(&client, paths[i].body);
        assert_that(status != 200 || asking_has_line(&client, "X-Content-Type-Options: nosniff"), "%s", paths[i].path);
    }
    finish(server);
}

/* Of what the route tells of itself: names longer than any file's, and as long as a head may be. */
static void a_path_may_be_longer_than_any_file(void **state)
{
    (void)state;
    jz_server *server = start();
    static const size_t lengths[] = {254, 255, 256, 257, 4000, 4096, 5000, 8000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (int has_slashes = 0; has_slashes < 2; has_slashes++) {
            char request[9000] = "GET /files/";
            for (size_t k = strlen(request), end = k + lengths[i]; k < end; k++)
                request[k] = has_slashes && k % 2 == 0 ? '/' : 'a';
            strcat(request, " HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_int_equal(asking(&client, request), 404);
            asking_expect_body(&client, NOT_FOUND);
        }
    }
    finish(server);
}

static const struct {
    const char *path;
    const char *content_type;
} types[] = {
    {"/files/", "text/html; charset=utf-8"},
    {"/files/a.txt", "text/plain; charset=utf-8"},
    {"/files/style.css", "text/css; charset=utf-8"},
    {"/files/sub/data.JSON", "application/json"},
    {"/files/large.bin", "application/octet-stream"},
    {"/bare/x/a.txt", "text/x-bare"},
    {"/one", "text/plain; charset=utf-8"},
};

static void the_content_type_follows_from_the_name(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        char request[256];
        char line[128];
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", types[i].path);
        snprintf(line, sizeof line, "Content-Type: %s", types[i].content_type);
        assert_int_equal(asking(&client, request), 200);
        assert_that(asking_has_line(&client, line), "%s is no %s", types[i].path, line);
        assert_true(asking_has_line(&client, strncmp(types[i].path, "/bare", 5) == 0 ? "Cache-Control: max-age=60"
                                                                                     : "Cache-Control: no-cache"));
    }
    finish(server);
}

/* Takes the value of a header of the last head. */
static void take_header(const char *name, char *value, size_t size)
{
    char wanted[64];
    char head[4096] = "";
    memcpy(head, client.bytes, client.start);
    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *found = strstr(head, wanted);
    assert_non_null(found);
    found += strlen(wanted);
    snprintf(value, size, "%.*s", (int)strcspn(found, "\r"), found);
}

/* In these, TAG and DATE stand for what the file has, and OTHER for another tag. */
static const struct {
    const char *headers;
    int status;
    const char *line;
    const char *body;
} conditions[] = {
    {"If-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: W/TAG\r\n", 304, "Last-Modified: DATE", ""},
    {"If-None-Match: OTHER, TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: OTHER\r\nIf-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: *\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: OTHER\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-None-Match: OTHER\r\nIf-Modified-Since: DATE\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-None-Match: \"unfinished\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Modified-Since: DATE\r\n", 304, "ETag: TAG", ""},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Modified-Since: yesterday\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: TAG\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: *\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: OTHER\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"If-Match: W/TAG\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"If-Unmodified-Since: DATE\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"Range: bytes=0-0\r\n", 206, "Content-Range: bytes 0-0/10", "0"},
    {"Range: bytes=2-4\r\n", 206, "Content-Length: 3", "234"},
    {"Range: bytes=7-\r\n", 206, "Content-Range: bytes 7-9/10", "789"},
    {"Range: bytes=7-99999999999999999999999\r\n", 206, "Content-Range: bytes 7-9/10", "789"},
    {"Range: bytes=-4\r\n", 206, "Content-Range: bytes 6-9/10", "6789"},
    {"Range: bytes=-40\r\n", 206, "Content-Range: bytes 0-9/10", "0123456789"},
    {"Range: bytes=10-\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=99999999999999999999-\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=-0\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=0-1,2-3\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-,0-,0-,0-,0-\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nRange: bytes=2-3\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=4-2\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: lines=0-1\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: TAG\r\n", 206, "Content-Length: 2", "01"},
    {"Range: bytes=0-1\r\nIf-Range: OTHER\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: W/TAG\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: DATE\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
};

/* Replaces each of these words. */
static void fill_in(const char *text, const char *tag, const char *date, char *filled, size_t size)
{
    const struct {
        const char *word;
        const char *value;
    } words[] = {{"TAG", tag}, {"DATE", date}, {"OTHER", "\"other\""}};
    size_t length = 0;
    while (*text != '\0' && length + 1 < size) {
        size_t word = 0;
        while (word < COUNT_OF(words) && strncmp(text, words[word].word, strlen(words[word].word)) != 0)
            word++;
        if (word < COUNT_OF(words)) {
            length += (size_t)snprintf(filled + length, size - length, "%s", words[word].value);
            text += strlen(words[word].word);
        } else {
            filled[length++] = *text++;
        }
    }
    filled[length] = '\0';
}

static void conditions_and_ranges_are_followed(void **state)
{
    (void)state;
    jz_server *server = start();
    char tag[64];
    char date[64];
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/a.txt")), 200);
    asking_expect_body(&client, "0123456789");
    take_header("ETag", tag, sizeof tag);
    take_header("Last-Modified", date, sizeof date);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        char headers[512];
        char line[128];
        char request[768];
        fill_in(conditions[i].headers, tag, date, headers, sizeof headers);
        fill_in(conditions[i].line, tag, date, line, sizeof line);
        snprintf(request, sizeof request, "GET /files/a.txt HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
        int status = asking(&client, request);
        assert_that(status == conditions[i].status, "%d for %s", status, headers);
        assert_that(asking_has_line(&client, line), "no %s for %s", line, headers);
        asking_expect_body(&client, conditions[i].body);
    }
    /* A range is for GET alone, and there is none of nothing. */
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/a.txt", "Range: bytes=0-1\r\n")), 200);
    assert_true(asking_has_line(&client, "Content-Length: 10"));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/nothing.txt", "Range: bytes=0-\r\n")), 416);
    asking_expect_body(&client, "Range Not Satisfiable");
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    finish(server);
}

static const struct {
    const char *headers;
    bool is_packed;
} encodings[] = {
    {"Accept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: deflate, GZIP;q=0.5, br\r\n", true},
    {"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: *\r\n", true},
    {"Accept-Encoding: x-gzip\r\n", true},
    {"", false},
    {"Accept-Encoding: \r\n", false},
    {"Accept-Encoding: br, deflate\r\n", false},
    {"Accept-Encoding: gzip;q=0\r\n", false},
    {"Accept-Encoding: gzip; q=0.000, *\r\n", false},
    {"Accept-Encoding: *;q=0\r\n", false},
    {"Accept-Encoding: gzip\r\nRange: bytes=0-999\r\n", false},
};

/* Decompresses the next bytes of the client. Returns how many there are then. */
static size_t unpack(size_t length, char *text, size_t size)
{
    z_stream stream = {.next_in = client.bytes + client.start,
                       .avail_in = (uInt)length,
                       .next_out = (Bytef *)text,
                       .avail_out = (uInt)size};
    assert_int_equal(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    return stream.total_out;
}

static void expect_style(bool is_packed)
{
    char text[2000];
    char value[64];
    take_header("Content-Length", value, sizeof value);
    size_t length = (size_t)atoi(value);
    assert_true(test_client_receive(&client, length));
    if (is_packed) {
        assert_int_equal(unpack(length, text, sizeof text), strlen(style));
        assert_in_range(length, 1, strlen(style) / 4);
    } else {
        assert_int_equal(length, strlen(style));
        memcpy(text, client.bytes + client.start, length);
    }
    assert_memory_equal(text, style, strlen(style));
    client.start += length;
}

static void who_takes_gzip_gets_it(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET /files/style.css HTTP/1.1\r\nHost: a\r\n%s\r\n", encodings[i].headers);
        int status = asking(&client, request);
        assert_true(status == 200 || status == 206);
        assert_true(asking_has_line(&client, "Vary: Accept-Encoding"));
        assert_that(asking_has_line(&client, "Content-Encoding: gzip") == encodings[i].is_packed, "%s",
                    encodings[i].headers);
        expect_style(encodings[i].is_packed);
    }
    /* Both have tags of their own, which conditions know. */
    char tag[64];
    char request[256];
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/style.css", "Accept-Encoding: gzip\r\n")), 200);
    take_header("ETag", tag, sizeof tag);
    snprintf(request, sizeof request,
             "GET /files/style.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nIf-None-Match: %s\r\n\r\n", tag);
    assert_int_equal(asking(&client, request), 304);
    snprintf(request, sizeof request, "GET /files/style.css HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", tag);
    assert_int_equal(asking(&client, request), 200);
    expect_style(false);
    /* What does not become smaller is sent as it is, and what is compressed already is not looked at. */
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/a.txt", "Accept-Encoding: gzip\r\n")), 200);
    assert_false(asking_has_line(&client, "Content-Encoding: gzip"));
    assert_true(asking_has_line(&client, "Vary: Accept-Encoding"));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/large.bin", "Accept-Encoding: gzip\r\n")), 200);
    assert_false(asking_has_line(&client, "Vary: Accept-Encoding"));
    finish(server);
}

/* A change has another time: see opened_file.c. */
static void a_file_is_served_as_it_is_now(void **state)
{
    (void)state;
    jz_server *server = start();
    write_text("public/new.txt", "one");
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 200);
    asking_expect_body(&client, "one");
    write_text("public/new.txt", "two");
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 200);
    asking_expect_body(&client, "two");
    unlink(in("public/new.txt"));
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/new.txt")), 404);
    asking_expect_body(&client, NOT_FOUND);
    /* Compressed, too. */
    write_bytes("public/new.css", style, strlen(style));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/new.css", "Accept-Encoding: gzip\r\n")), 200);
        expect_style(true);
    }
    write_text("public/new.css", "p {}");
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/new.css", "Accept-Encoding: gzip\r\n")), 200);
    asking_expect_body(&client, "p {}");
    unlink(in("public/new.css"));
    finish(server);
}

/* Puts another file in the place: written beside it, with a time that all versions have. */
static void replace_by_letters(char letter, size_t length)
{
    char text[1024];
    memset(text, letter, length);
    write_bytes("public/beside.css", text, length);
    char from[512];
    strcpy(from, in("public/beside.css"));
    const struct timeval times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimes(from, times), 0);
    assert_int_equal(rename(from, in("public/built.css")), 0);
}

/* As builds make them whose results are to be the same everywhere. */
static void a_file_that_is_replaced_by_one_of_the_same_time_and_length_is_compressed_anew(void **state)
{
    (void)state;
    enum { LENGTH = 1000 };
    jz_server *server = start();
    for (char letter = 'a'; letter < 'd'; letter++) {
        char text[LENGTH];
        char value[64];
        replace_by_letters(letter, LENGTH);
        assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/built.css", "Accept-Encoding: gzip\r\n")),
                         200);
        assert_true(asking_has_line(&client, "Content-Encoding: gzip"));
        take_header("Content-Length", value, sizeof value);
        size_t length = (size_t)atoi(value);
        assert_true(test_client_receive(&client, length));
        assert_int_equal(unpack(length, text, sizeof text), LENGTH);
        client.start += length;
        assert_int_equal(text[0], letter);
    }
    unlink(in("public/built.css"));
    finish(server);
}

static const char large_request[] = PAGE_REQUEST("/files/large.bin");

/* The next bytes are so many of the large file. */
static void expect_large(test_client *reader, size_t position, size_t length)
{
    for (size_t end = position + length; position < end;) {
        size_t piece = end - position < 50000 ? end - position : 50000;
        assert_true(test_client_receive(reader, piece));
        assert_memory_equal(reader->bytes + reader->start, large + position, piece);
        reader->start += piece;
        position += piece;
    }
}

static void a_large_file_comes_whole_and_in_order_with_what_was_asked_for_behind_it(void **state)
{
    (void)state;
    jz_server *server = start();
    static const char requests[] = PAGE_REQUEST("/fixed") PAGE_REQUEST("/files/large.bin") PAGE_REQUEST("/files/a.txt")
        PAGE_REQUEST_WITH("HEAD", "/files/large.bin", "")
            PAGE_REQUEST_WITH("GET", "/files/large.bin", "Range: bytes=100001-300001\r\n") PAGE_REQUEST("/fixed")
                UPGRADE_REQUEST("/socket");
    assert_true(test_client_send(&client, requests, strlen(requests)));
    asking_expect(&client, 200, "fixed");
    assert_int_equal(asking_take_head(&client), 200);
    expect_large(&client, 0, LARGE);
    asking_expect(&client, 200, "0123456789");
    asking_expect(&client, 200, "");
    assert_true(asking_has_line(&client, "Content-Length: 8388608"));
    assert_int_equal(asking_take_head(&client), 206);
    expect_large(&client, 100001, 200001);
    asking_expect(&client, 200, "fixed");
    assert_int_equal(asking_take_head(&client), 101);
    finish(server);
}

static void who_reads_a_large_file_slowly_costs_little_memory(void **state)
{
    (void)state;
    enum { READERS = 8, KIB = 1024 };
    /* Of mapped pieces all counts, though only pages that were written to take memory. */
    size_t cost = jz_memory_is_mapped(64 * KIB) ? 256 * KIB : 200 * KIB;
    static test_client readers[READERS];
    jz_server *server = start();
    size_t before = test_live_bytes();
    for (size_t i = 0; i < READERS; i++) {
        assert_true(test_client_connect(&readers[i], jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&readers[i], large_request, strlen(large_request)));
        assert_int_equal(test_client_take_head(&readers[i]), 200);
    }
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    (void)test_most_live_bytes();
    for (size_t i = 0; i < READERS; i++) {
        expect_large(&readers[i], 0, LARGE);
        test_client_close(&readers[i]);
    }
    assert_in_range(test_most_live_bytes(), 0, before + READERS * cost);
    finish(server);
}

/* Rewrites the end of the large file while a client has not taken it, or cuts it off. */
static void change_large(bool is_cut)
{
    if (is_cut) {
        assert_int_equal(truncate(in("public/large.bin"), LARGE / 2), 0);
        return;
    }
    int descriptor = open(in("public/large.bin"), O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, "X", 1, LARGE - 1), 1);
    close(descriptor);
}

static void a_file_that_changes_while_it_is_sent_ends_the_connection(void **state)
{
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        jz_server *server = start();
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&other, large_request, strlen(large_request)));
        assert_int_equal(test_client_take_head(&other), 200);
        change_large(is_cut == 1);
        size_t taken = 0;
        while (test_client_receive(&other, 1)) {
            for (; other.start < other.end; other.start++, taken++)
                assert_int_equal(other.bytes[other.start], letter_at(taken));
        }
        assert_in_range(taken, 1, LARGE - 1);
        test_client_close(&other);
        assert_eventually(log_lines_have(&lines, "the file \"large.bin\" of the page /files/*file cannot be read: it "
                                                 "was changed while it was sent"));
        write_bytes("public/large.bin", large, LARGE);
        finish(server);
    }
}

/* As by `mv`, or by rsync: the file that was opened has still all that it had. */
static void a_file_that_is_replaced_or_removed_while_it_is_sent_comes_whole(void **state)
{
    (void)state;
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        jz_server *server = start();
        char from[512];
        write_bytes("public/moving.bin", large, LARGE);
        write_text("public/next.bin", "next");
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(
            test_client_send(&other, PAGE_REQUEST("/files/moving.bin"), strlen(PAGE_REQUEST("/files/moving.bin"))));
        assert_int_equal(test_client_take_head(&other), 200);
        snprintf(from, sizeof from, "%s", in("public/next.bin"));
        assert_int_equal(is_replaced == 1 ? rename(from, in("public/moving.bin")) : unlink(in("public/moving.bin")), 0);
        expect_large(&other, 0, LARGE);
        test_client_close(&other);
        finish(server);
    }
}

static void who_does_not_take_a_file_is_let_go(void **state)
{
    (void)state;
    jz_options options = patient_options();
    options.handshake_timeout_ms = 500;
    jz_server *server = run(create(&options));
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    size_t idle = serving_descriptors();
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, large_request, strlen(large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    assert_int_equal(serving_descriptors(), idle + 3);
    assert_eventually(serving_descriptors() == idle + 1); /* the client's own */
    test_client_close(&other);
    finish(server);
}

/* As long as somebody takes something, no time-out ends the connection. */
static void who_takes_a_file_slowly_gets_all_of_it(void **state)
{
    (void)state;
    enum { SHORT_MS = 500 };
    jz_options options = patient_options();
    options.handshake_timeout_ms = options.upgrade_timeout_ms = options.close_timeout_ms = SHORT_MS;
    jz_server *server = run(create(&options));
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, large_request, strlen(large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    size_t taken = 0;
    for (uint64_t end = jz_clock_ms() + 6 * SHORT_MS; jz_clock_ms() < end; taken += 1000) {
        expect_large(&other, taken, 1000);
        nanosleep(&pause, NULL);
    }
    expect_large(&other, taken, LARGE - taken);
    test_client_close(&other);
    finish(server);
}

static void who_goes_away_leaves_nothing_open(void **state)
{
    (void)state;
    jz_server *server = start();
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    size_t idle = serving_descriptors();
    size_t memory = test_live_allocations();
    for (size_t i = 0; i < 20; i++) {
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&other, large_request, strlen(large_request)));
        if (i % 2 == 0)
            assert_int_equal(test_client_take_head(&other), 200);
        test_client_reset(&other);
    }
    assert_eventually(serving_descriptors() == idle);
    assert_eventually(test_live_allocations() <= memory + 4); /* records that are kept for reuse */
    finish(server);
}

static void a_server_that_stops_sends_the_rest_of_a_file(void **state)
{
    (void)state;
    jz_server *server = start();
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, large_request, strlen(large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    jz_server_stop(server);
    expect_large(&other, 0, LARGE);
    assert_true(test_client_sees_end(&other));
    test_client_close(&other);
    finish(server);
}

static void without_descriptors_there_is_a_503_and_a_line_in_the_log(void **state)
{
    (void)state;
    jz_server *server = start();
    struct rlimit before;
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, before.rlim_max}), 0);
    int status = asking(&client, PAGE_REQUEST("/files/a.txt"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, 503);
    asking_expect_body(&client, "Service Unavailable");
    assert_true(log_lines_have(&lines, "the file \"a.txt\" of the page /files/*file cannot be read: Too many open"));
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/a.txt")), 200);
    finish(server);
}

static void a_file_that_may_not_be_read_is_refused_and_logged(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* who may read everything */
    jz_server *server = start();
    write_text("public/closed.txt", "closed");
    assert_int_equal(chmod(in("public/closed.txt"), 0), 0);
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/closed.txt")), 403);
    asking_expect_body(&client, "Forbidden");
    assert_true(log_lines_have(&lines, "cannot be read: Permission denied"));
    unlink(in("public/closed.txt"));
    finish(server);
}

static const struct {
    const char *path;
    const char *root; /* in the test's folder, if it does not begin with a slash */
    bool is_folder;
    jz_file_options options;
    jz_status status;
    const char *message;
} wrong[] = {
    {"/x/", "none", true, {0}, JZ_STATUS_INVALID_OPTION, "No such file or directory"},
    {"/x", "none", false, {0}, JZ_STATUS_INVALID_OPTION, "No such file or directory"},
    {"/x/", "secret.txt", true, {0}, JZ_STATUS_INVALID_OPTION, "it is no folder"},
    {"/x", "public", false, {0}, JZ_STATUS_INVALID_OPTION, "it is no file"},
    {"/x", "public/pipe", false, {0}, JZ_STATUS_INVALID_OPTION, "it is no file"},
    {"/x", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "ends with a slash"},
    {"x/", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "begins with '/'"},
    {"/files/", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "there is a page already"},
    {"/fixed", "secret.txt", false, {0}, JZ_STATUS_INVALID_ROUTE, "there is a page already"},
    {"/x/", "public", true, {.index = "sub/index.html"}, JZ_STATUS_INVALID_OPTION, "the index of a folder"},
    {"/x/", "public", true, {.index = "../secret.txt"}, JZ_STATUS_INVALID_OPTION, "the index of a folder"},
    {"/x/", "public", true, {.cache_control = "a\r\nb"}, JZ_STATUS_INVALID_OPTION, "one line each"},
    {"/x/", "public", true, {.content_type = ""}, JZ_STATUS_INVALID_OPTION, "one line each"},
};

static void what_cannot_be_served_is_refused_at_once(void **state)
{
    (void)state;
    const jz_options options = patient_options();
    jz_server *server = create(&options);
    jz_error error;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *root = in(wrong[i].root);
        jz_status status = wrong[i].is_folder
                               ? jz_server_route_folder(server, wrong[i].path, root, &wrong[i].options, &error)
                               : jz_server_route_file(server, wrong[i].path, root, &wrong[i].options, &error);
        assert_that(status == wrong[i].status && strstr(error.message, wrong[i].message) != NULL, "row %zu: %s", i,
                    error.message);
    }
    assert_int_equal(jz_server_route_folder(server, "/x/", NULL, NULL, NULL), JZ_STATUS_INVALID_OPTION);
    assert_int_equal(jz_server_route_file(server, NULL, in("secret.txt"), NULL, NULL), JZ_STATUS_INVALID_ROUTE);
    jz_server_destroy(server);
}

/* Relative paths mean the folder in which the program was when it named them. */
static void a_program_may_change_its_folder(void **state)
{
    (void)state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    const jz_options options = patient_options();
    assert_int_equal(chdir(top), 0);
    jz_server *server = create(&options);
    assert_int_equal(jz_server_route_file(server, "/relative", "public/a.txt", NULL, NULL), JZ_OK);
    assert_int_equal(chdir(before), 0);
    run(server);
    assert_int_equal(asking(&client, PAGE_REQUEST("/relative")), 200);
    asking_expect_body(&client, "0123456789");
    finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out_of_the_folder),
        cmocka_unit_test(a_path_may_be_longer_than_any_file),
        cmocka_unit_test(the_content_type_follows_from_the_name),
        cmocka_unit_test(conditions_and_ranges_are_followed),
        cmocka_unit_test(who_takes_gzip_gets_it),
        cmocka_unit_test(a_file_is_served_as_it_is_now),
        cmocka_unit_test(a_file_that_is_replaced_by_one_of_the_same_time_and_length_is_compressed_anew),
        cmocka_unit_test(a_large_file_comes_whole_and_in_order_with_what_was_asked_for_behind_it),
        cmocka_unit_test(who_reads_a_large_file_slowly_costs_little_memory),
        cmocka_unit_test(a_file_that_changes_while_it_is_sent_ends_the_connection),
        cmocka_unit_test(a_file_that_is_replaced_or_removed_while_it_is_sent_comes_whole),
        cmocka_unit_test(who_does_not_take_a_file_is_let_go),
        cmocka_unit_test(who_takes_a_file_slowly_gets_all_of_it),
        cmocka_unit_test(who_goes_away_leaves_nothing_open),
        cmocka_unit_test(a_server_that_stops_sends_the_rest_of_a_file),
        cmocka_unit_test(without_descriptors_there_is_a_503_and_a_line_in_the_log),
        cmocka_unit_test(a_file_that_may_not_be_read_is_refused_and_logged),
        cmocka_unit_test(what_cannot_be_served_is_refused_at_once),
        cmocka_unit_test(a_program_may_change_its_folder),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("files", tests, make_files, remove_files));
}
