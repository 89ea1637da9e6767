#define _DEFAULT_SOURCE

#include "support/setting.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_LINES = 256, PATH_SIZE = 192 };

static struct {
    pthread_mutex_t lock;
    size_t count;
    size_t count_of_level[JZ_LOG_ERROR + 1];
    char lines[MOST_LINES][JZ_LOG_LINE_SIZE];
} logged = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep_line(void *context, jz_log_level level, const char *line)
{
    (void)context;
    pthread_mutex_lock(&logged.lock);
    logged.count_of_level[level]++;
    if (logged.count < MOST_LINES)
        snprintf(logged.lines[logged.count++], JZ_LOG_LINE_SIZE, "%s", line);
    pthread_mutex_unlock(&logged.lock);
}

bool was_logged(const char *text)
{
    bool is_found = false;
    pthread_mutex_lock(&logged.lock);
    for (size_t i = 0; i < logged.count; i++)
        is_found = is_found || strstr(logged.lines[i], text) != NULL;
    pthread_mutex_unlock(&logged.lock);
    return is_found;
}

size_t logged_count(jz_log_level level)
{
    pthread_mutex_lock(&logged.lock);
    size_t count = logged.count_of_level[level];
    pthread_mutex_unlock(&logged.lock);
    return count;
}

void log_forget(void)
{
    pthread_mutex_lock(&logged.lock);
    logged.count = 0;
    memset(logged.count_of_level, 0, sizeof logged.count_of_level);
    pthread_mutex_unlock(&logged.lock);
}

int setting_begin(void **state)
{
    log_forget();
    return make_folder(state);
}

int setting_end(void **state)
{
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        char file[PATH_SIZE + 256];
        snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(file) != 0)
            rmdir(file);
    }
    closedir(listing);
    authority_forget();
    return remove_folder(state);
}

const char *path_of(const char *name)
{
    char whole[PATH_SIZE];
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    return joined(whole, "");
}

const char *write_bytes(const char *name, const void *bytes, size_t length)
{
    const char *whole = path_of(name);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return whole;
}

const char *write_file(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

const char *replace_file(const char *name, const char *text)
{
    const char *whole = path_of(name);
    assert_int_equal(rename(write_file("next", text), whole), 0);
    return whole;
}

jz_tls_options options_with(const jz_tls_certificate *certificates, size_t count)
{
    jz_tls_options options = jz_tls_options_default();
    options.certificates = certificates;
    options.certificate_count = count;
    options.log = keep_line;
    return options;
}

jz_tls_certificate chain_in_memory(const made *own, const made *issuer)
{
    const char *chain = pem_of_certificates(own, issuer, NULL);
    const char *key = pem_of_key(own, NULL);
    return (jz_tls_certificate){
        .certificate = chain, .certificate_length = strlen(chain), .key = key, .key_length = strlen(key)};
}

jz_tls_certificate in_memory(const made *own)
{
    return chain_in_memory(own, NULL);
}

jz_tls_certificate in_files(const char *name, const made *own)
{
    return (jz_tls_certificate){.certificate_file =
                                    write_file(joined(name, ".pem"), pem_of_certificates(own, NULL, NULL)),
                                .key_file = write_file(joined(name, ".key"), pem_of_key(own, NULL))};
}

jz_tls *create_with(const jz_tls_options *options)
{
    jz_error error;
    jz_tls *tls = jz_tls_create(options, &error);
    assert_that(tls != NULL, "%s", error.message);
    assert_int_equal(ERR_peek_error(), 0);
    return tls;
}

jz_tls *create_of(const jz_tls_certificate *certificate)
{
    jz_tls_options options = options_with(certificate, 1);
    return create_with(&options);
}

bool is_shown(jz_tls *tls, const client_plan *plan, const made *certificate)
{
    handshake handshake = handshake_with(tls, plan);
    X509 *shown = handshake.has_succeeded ? handshake_certificate(&handshake) : NULL;
    bool is_same = shown != NULL && X509_cmp(shown, certificate->certificate) == 0;
    handshake_end(&handshake);
    return is_same;
}
