/* What a test of contexts begins with: a folder for files, certificates, and a log that keeps its lines. */
#ifndef JAZZY_TLS_TESTS_SETTING_H
#define JAZZY_TLS_TESTS_SETTING_H

#include "jazzy/tls.h"
#include "support/authority.h"
#include "support/folder.h"
#include "support/handshake.h"
#include "support/testing.h"

/* A test's set-up and tear-down: all files and certificates are gone afterwards. */
int setting_begin(void **state);
int setting_end(void **state);

/* Writes a file of the folder. Returns its path, which lives until the tear-down. */
const char *write_file(const char *name, const char *text);
const char *write_bytes(const char *name, const void *bytes, size_t length);
const char *path_of(const char *name);

/* The same in one step, as programs that renew certificates do it. */
const char *replace_file(const char *name, const char *text);

/* Options with these certificates and the log of the test. */
jz_tls_options options_with(const jz_tls_certificate *certificates, size_t count);

/* With its certificate and key in memory; and a chain of two. */
jz_tls_certificate in_memory(const made *own);
jz_tls_certificate chain_in_memory(const made *own, const made *issuer);
/* In the files "NAME.pem" and "NAME.key". */
jz_tls_certificate in_files(const char *name, const made *own);

/* Fails where it cannot be created. */
jz_tls *create_with(const jz_tls_options *options);
jz_tls *create_of(const jz_tls_certificate *certificate);

/* Whether any line of the log has this text; how many lines there are of a level; all are forgotten. */
bool was_logged(const char *text);
size_t logged_count(jz_log_level level);
void log_forget(void);

/* Whether a client gets this certificate, by a full handshake. */
bool is_shown(jz_tls *tls, const client_plan *plan, const made *certificate);

#define setting_test(function) cmocka_unit_test_setup_teardown(function, setting_begin, setting_end)

#endif
