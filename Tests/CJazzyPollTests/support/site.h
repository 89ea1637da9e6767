/* A folder with files, and a server that has them as pages, for tests of that. */
#ifndef JAZZY_TESTS_SITE_H
#define JAZZY_TESTS_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "jazzy.h"
#include "log_lines.h"

enum {
    LONG_MS = 20000,
    LARGE = 8 * 1024 * 1024, /* the length of a file */
    LITTLE_BUFFER = 4096     /* of a client that takes little at once */
};

#define NOT_FOUND "Not Found: there is no such file\n"
#define NO_ROUTE "Not Found: there is no route with this path\n"

/* Whoever asks, with a connection to the server; somebody else; and what the server logs. */
extern test_client client;
extern test_client other;
extern log_lines lines;

/* The test's folder: "public" in it is served, as "/files/" and below "/bare/". Set-up and tear-down of a group. */
extern char top[64];
int make_site(void **state);
int remove_site(void **state);

/* The path of a file in the test's folder; valid until the next call. */
const char *site_path(const char *name);
void site_write(const char *name, const void *bytes, size_t length);
void site_write_text(const char *name, const char *text);

/* Servers whose time-outs are long, but for what a test changes in the options. */
jz_options site_options(void);
jz_server *site_create(const jz_options *options);
jz_server *site_run(jz_server *server);
jz_server *site_start(void);
void site_finish(jz_server *server);

/* Takes the value of a header of the client's last head. */
void site_take_header(const char *name, char *value, size_t size);

/* Decompresses the next bytes of the client. Returns how many there are then. */
size_t site_unpack(size_t length, char *text, size_t size);

/* public/style.css, as the client's next body. */
extern const char site_style[];
void site_expect_style(bool is_packed);

/* public/large.bin: each letter depends on its place. */
extern uint8_t site_large[LARGE];
extern const char site_large_request[];
uint8_t site_letter_at(size_t position);

/* The next bytes are so many of it. */
void site_expect_large(test_client *reader, size_t position, size_t length);

#endif
