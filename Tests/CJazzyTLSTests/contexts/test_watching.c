/* Files that are watched are read again when they have changed, whoever changed them in whatever way. */
#define _DEFAULT_SOURCE

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "contexts/files.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/setting.h"
#include "support/thread_calls.h"

enum { INTERVAL_MS = 100 };

static made old;
static made renewed;

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    old = authority_make_with_own_key(&(plan){.names = "DNS:chat.example"});
    renewed = authority_make_with_own_key(&(plan){.names = "DNS:chat.example"});
    return 0;
}

static jz_tls *create_watching(const jz_tls_certificate *certificate)
{
    jz_tls_options options = options_with(certificate, 1);
    options.watch_interval_ms = INTERVAL_MS;
    return create_with(&options);
}

static bool is_renewed(jz_tls *tls)
{
    return is_shown(tls, &(client_plan){0}, &renewed);
}

static void a_file_that_is_written_again_is_seen(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_watching(&given);
    assert_false(is_renewed(tls));
    in_files("own", &renewed);
    assert_eventually(is_renewed(tls));
    assert_eventually(was_logged("certificates were loaded again, because files have changed"));
    assert_int_equal(jz_tls_statistics_of(tls).reloads, 1);
    jz_tls_free(tls);
}

static void a_file_that_is_renamed_is_seen(void **state)
{
    (void)state;
    jz_tls_certificate given = {.certificate_file = write_file(
                                    "both.pem", joined(pem_of_certificates(&old, NULL, NULL), pem_of_key(&old, NULL)))};
    jz_tls *tls = create_watching(&given);
    replace_file("both.pem", joined(pem_of_certificates(&renewed, NULL, NULL), pem_of_key(&renewed, NULL)));
    assert_eventually(is_renewed(tls));
    jz_tls_free(tls);
}

/* A folder with both files of a certificate. */
static const char *folder_with(const char *name, const made *certificate)
{
    const char *whole = path_of(name);
    assert_int_equal(mkdir(whole, 0700), 0);
    write_file(joined(name, "/tls.crt"), pem_of_certificates(certificate, NULL, NULL));
    write_file(joined(name, "/tls.key"), pem_of_key(certificate, NULL));
    return whole;
}

static void remove_folder_with_files(const char *whole)
{
    unlink(joined(whole, "/tls.crt"));
    unlink(joined(whole, "/tls.key"));
    rmdir(whole);
}

/* As Kubernetes mounts secrets: "tls.crt" leads to "..data/tls.crt", and "..data" to a folder that changes. */
static void a_symbolic_link_that_leads_elsewhere_is_seen(void **state)
{
    (void)state;
    const char *first = folder_with("..first", &old);
    const char *second = folder_with("..second", &renewed);
    assert_int_equal(symlink("..first", path_of("..data")), 0);
    assert_int_equal(symlink("..data/tls.crt", path_of("tls.crt")), 0);
    assert_int_equal(symlink("..data/tls.key", path_of("tls.key")), 0);
    jz_tls_certificate given = {.certificate_file = path_of("tls.crt"), .key_file = path_of("tls.key")};
    jz_tls *tls = create_watching(&given);
    assert_false(is_renewed(tls));
    assert_int_equal(symlink("..second", path_of("..data_tmp")), 0);
    assert_int_equal(rename(path_of("..data_tmp"), path_of("..data")), 0);
    remove_folder_with_files(first);
    assert_eventually(is_renewed(tls));
    assert_int_equal(jz_tls_statistics_of(tls).failed_reloads, 0);
    jz_tls_free(tls);
    remove_folder_with_files(second);
}

static void a_half_written_file_changes_nothing_until_it_is_whole(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_watching(&given);
    write_file("own.pem", pem_of_certificates(&renewed, NULL, NULL)); /* its key is not there yet */
    assert_eventually(was_logged("the certificates in use stay, because the new ones are wrong: key file"));
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    write_file("own.key", "-----BEGIN PRIVATE KEY-----\nMII");
    assert_eventually(was_logged("the certificates in use stay, because the new ones are wrong: cannot read the key"));
    assert_int_equal(unlink(path_of("own.key")), 0);
    assert_eventually(was_logged("own.key\" does not exist"));
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    write_file("own.key", pem_of_key(&renewed, NULL));
    assert_eventually(is_renewed(tls));
    assert_true(jz_tls_statistics_of(tls).failed_reloads >= 3);
    jz_tls_free(tls);
}

/* The file of a staple that was not there, and one whose file was: both are files to watch. */
static void all_files_are_watched(void **state)
{
    (void)state;
    made authority = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "Clients"});
    made other = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "Others"});
    jz_tls_certificate given = in_files("own", &old);
    given.ocsp_file = path_of("ocsp");
    jz_tls_options options = options_with(&given, 1);
    options.watch_interval_ms = INTERVAL_MS;
    options.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", pem_of_certificates(&authority, NULL, NULL));
    jz_tls *tls = create_with(&options);
    write_file("ocsp", "hello");
    assert_eventually(was_logged("/ocsp\" is not sent to clients: it is no OCSP response in DER"));
    made client = authority_make_with_own_key(&(plan){.issuer = &other});
    assert_false(is_shown(tls, &(client_plan){.identity = &client}, &old));
    replace_file("ca.pem", pem_of_certificates(&other, NULL, NULL));
    assert_eventually(is_shown(tls, &(client_plan){.identity = &client}, &old));
    jz_tls_free(tls);
}

/* The file is read again, which its log line of a later fault shows, but is the same. */
static void a_file_that_was_only_touched_replaces_nothing(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_watching(&given);
    in_files("own", &old);
    write_file("own.key", "");
    assert_eventually(was_logged("own.key\" is empty"));
    in_files("own", &old);
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    assert_int_equal(jz_tls_statistics_of(tls).reloads, 0);
    jz_tls_free(tls);
}

static void files_that_stay_wrong_are_logged_once(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_watching(&given);
    replace_file("own.pem", "hello");
    assert_eventually(was_logged("own.pem\" is not PEM"));
    write_file("own.key", "hello"); /* the certificate is still what is wrong first */
    assert_int_equal(unlink(path_of("own.pem")), 0);
    assert_eventually(was_logged("own.pem\" does not exist"));
    assert_int_equal(logged_count(JZ_LOG_ERROR), 2);
    jz_tls_free(tls);
}

static void what_was_given_later_is_watched_instead(void **state)
{
    (void)state;
    jz_tls_certificate first = in_files("first", &old);
    jz_tls *tls = create_watching(&first);
    jz_tls_certificate second = in_files("second", &old);
    assert_int_equal(jz_tls_replace(tls, &second, 1, NULL), JZ_OK);
    assert_int_equal(unlink(first.certificate_file), 0);
    in_files("second", &renewed);
    assert_eventually(is_renewed(tls));
    assert_false(was_logged("first.pem"));
    jz_tls_free(tls);
}

static void a_thread_that_cannot_start_is_an_error(void **state)
{
    (void)state;
    jz_error error;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls_options options = options_with(&given, 1);
    options.watch_interval_ms = INTERVAL_MS;
    test_threads_fail_after(0, EAGAIN);
    jz_tls *tls = jz_tls_create(&options, &error);
    test_threads_succeed();
    assert_null(tls);
    assert_int_equal(error.status, JZ_STATUS_SYSTEM);
    assert_non_null(strstr(error.message, "watch_interval_ms"));
}

/* A file that has just changed is looked at again, because its clock has steps; one from the future is not, for ever.
 */
static void a_file_is_fresh_for_a_moment(void **state)
{
    (void)state;
    const struct {
        int64_t age;
        bool is_fresh;
    } rows[] = {{-86400, false}, {-3, false}, {-2, true}, {0, true}, {2, true}, {3, false}, {86400, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const jz_tls_look look = {.newest = 1000000};
        assert_that(jz_tls_look_is_too_fresh(&look, 1000000 + rows[i].age) == rows[i].is_fresh, "row %zu", i);
    }
}

/* Nobody renews it, so that no file changes: once a day it is said again. */
static void a_certificate_that_grows_old_is_logged_daily(void **state)
{
    enum { DAY = 24 * 3600 };
    (void)state;
    int64_t now = (int64_t)time(NULL);
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_watching(&given);
    assert_false(was_logged(""));
    test_date_stop(now + 85 * DAY + 60);
    assert_eventually(was_logged("own.pem\" expires in 4 days"));
    test_date_stop(now + 86 * DAY + 120);
    assert_eventually(was_logged("own.pem\" expires in 3 days"));
    test_date_stop(now + 91 * DAY);
    assert_eventually(was_logged("own.pem\" expired"));
    assert_int_equal(logged_count(JZ_LOG_WARNING), 3);
    test_clocks_run();
    jz_tls_free(tls);
}

/* It waits long between two looks, but not for that. */
static void freeing_does_not_wait_for_the_next_look(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls_options options = options_with(&given, 1);
    options.watch_interval_ms = 86400000;
    jz_tls_free(create_with(&options));
}

int main(void)
{
#define watch_test(function) cmocka_unit_test_setup_teardown(function, begin, setting_end)
    const struct CMUnitTest tests[] = {
        watch_test(a_file_that_is_written_again_is_seen),
        watch_test(a_file_that_is_renamed_is_seen),
        watch_test(a_symbolic_link_that_leads_elsewhere_is_seen),
        watch_test(a_half_written_file_changes_nothing_until_it_is_whole),
        watch_test(all_files_are_watched),
        watch_test(a_file_that_was_only_touched_replaces_nothing),
        watch_test(files_that_stay_wrong_are_logged_once),
        watch_test(what_was_given_later_is_watched_instead),
        watch_test(a_thread_that_cannot_start_is_an_error),
        cmocka_unit_test(a_file_is_fresh_for_a_moment),
        watch_test(a_certificate_that_grows_old_is_logged_daily),
        watch_test(freeing_does_not_wait_for_the_next_look),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
