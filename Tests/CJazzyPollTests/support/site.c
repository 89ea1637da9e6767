#define _DEFAULT_SOURCE

#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "asking.h"
#include "serving.h"
#include "testing.h"

test_client client;
test_client other;
log_lines lines;
char top[64];

static char file[512];

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

/* The path of a file in the test's folder; valid until the next call. */
const char *site_path(const char *name)
{
    snprintf(file, sizeof file, "%s/%s", top, name);
    return file;
}

void site_write(const char *name, const void *bytes, size_t length)
{
    FILE *stream = fopen(site_path(name), "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, length, stream), length);
    fclose(stream);
}

void site_write_text(const char *name, const char *text)
{
    site_write(name, text, strlen(text));
}

uint8_t site_large[LARGE];

/* A letter that depends on its place, so that a piece in the wrong one is noticed. */
uint8_t site_letter_at(size_t position)
{
    return (uint8_t)('a' + position % 23);
}

const char site_style[] = "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                          "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                          "body { color: red; } body { color: red; } body { color: red; } body { color: red; } "
                          "body { color: red; } body { color: red; } body { color: red; } body { color: red; } ";

int make_site(void **state)
{
    (void)state;
    strcpy(top, "/tmp/jazzy-files-XXXXXX");
    if (mkdtemp(top) == NULL)
        return -1;
    static const char *const folders[] = {
        "public", "public/sub", "public/empty", "public/.well-known", "public/.git", "public/sub/.well-known"};
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        mkdir(site_path(folders[i]), 0755);
    for (size_t i = 0; i < LARGE; i++)
        site_large[i] = site_letter_at(i);
    site_write_text("secret.txt", "secret");
    site_write_text("public/index.html", "<p>index</p>");
    site_write_text("public/a.txt", "0123456789");
    site_write_text("public/nothing.txt", "");
    site_write_text("public/caf\xC3\xA9 au lait.txt", "coffee");
    site_write_text("public/back\\slash", "odd");
    site_write_text("public/...", "dots");
    site_write_text("public/.hidden", "hidden");
    site_write_text("public/.git/config", "hidden");
    site_write_text("public/.well-known/acme", "token");
    site_write_text("public/sub/.well-known/acme", "hidden");
    site_write_text("public/sub/index.html", "<p>sub</p>");
    site_write_text("public/sub/data.JSON", "{}");
    site_write("public/style.css", site_style, strlen(site_style));
    site_write("public/large.bin", site_large, LARGE);
    symlink("../secret.txt", site_path("public/link.txt"));
    symlink("a.txt", site_path("public/inner.txt"));
    symlink("..", site_path("public/up"));
    symlink("/", site_path("public/root"));
    mkfifo(site_path("public/pipe"), 0644);
    return 0;
}

int remove_site(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", top);
    return system(command);
}

jz_options site_options(void)
{
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = options.upgrade_timeout_ms = options.close_timeout_ms = LONG_MS;
    log_lines_begin(&lines, &options);
    return options;
}

jz_server *site_create(const jz_options *options)
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
    assert_int_equal(jz_server_route_file(server, "/one", site_path("public/inner.txt"), NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    return server;
}

jz_server *site_run(jz_server *server)
{
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    return server;
}

jz_server *site_start(void)
{
    const jz_options options = site_options();
    return site_run(site_create(&options));
}

void site_finish(jz_server *server)
{
    test_client_close(&client);
    jz_server_destroy(server);
}

/* Takes the value of a header of the last head. */
void site_take_header(const char *name, char *value, size_t size)
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

/* Decompresses the next bytes of the client. Returns how many there are then. */
size_t site_unpack(size_t length, char *text, size_t size)
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

void site_expect_style(bool is_packed)
{
    char text[2000];
    char value[64];
    site_take_header("Content-Length", value, sizeof value);
    size_t length = (size_t)atoi(value);
    assert_true(test_client_receive(&client, length));
    if (is_packed) {
        assert_int_equal(site_unpack(length, text, sizeof text), strlen(site_style));
        assert_in_range(length, 1, strlen(site_style) / 4);
    } else {
        assert_int_equal(length, strlen(site_style));
        memcpy(text, client.bytes + client.start, length);
    }
    assert_memory_equal(text, site_style, strlen(site_style));
    client.start += length;
}

const char site_large_request[] = PAGE_REQUEST("/files/large.bin");

/* The next bytes are so many of the large file. */
void site_expect_large(test_client *reader, size_t position, size_t length)
{
    for (size_t end = position + length; position < end;) {
        size_t piece = end - position < 50000 ? end - position : 50000;
        assert_true(test_client_receive(reader, piece));
        assert_memory_equal(reader->bytes + reader->start, site_large + position, piece);
        reader->start += piece;
        position += piece;
    }
}
