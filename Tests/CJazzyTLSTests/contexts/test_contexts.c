/* A certificate, from a file or from memory, is what clients see. */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/setting.h"

static void a_certificate_in_files_is_shown(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example"});
    jz_tls_certificate given = in_files("own", &certificate);
    jz_tls *tls = create_of(&given);
    assert_true(is_shown(tls, &(client_plan){0}, &certificate));
    jz_tls_free(tls);
}

static void a_key_may_be_beside_its_certificate(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example"});
    const char *chain = pem_of_certificates(&certificate, NULL, NULL);
    const char *key = pem_of_key(&certificate, NULL);
    jz_tls_certificate given = {.certificate_file = write_file("both.pem", joined(key, chain))};
    jz_tls *tls = create_of(&given);
    assert_true(is_shown(tls, &(client_plan){0}, &certificate));
    jz_tls_free(tls);
}

static void a_mark_of_utf_8_does_no_harm(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){0});
    jz_tls_certificate given = {
        .certificate_file = write_file("c.pem", joined("\xef\xbb\xbf", pem_of_certificates(&certificate, NULL, NULL))),
        .key_file = write_file("k.pem", joined("\xef\xbb\xbf", pem_of_key(&certificate, NULL)))};
    jz_tls *tls = create_of(&given);
    assert_true(is_shown(tls, &(client_plan){0}, &certificate));
    jz_tls_free(tls);
}

static void everything_is_copied(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){0});
    jz_tls_certificate given = in_memory(&certificate);
    char *chain = strdup(given.certificate);
    char *key = strdup(given.key);
    char *name = strdup("chat.example");
    given.certificate = chain;
    given.key = key;
    given.names = (const char *const *)&name;
    given.name_count = 1;
    jz_tls *tls = create_of(&given);
    memset(chain, 0, given.certificate_length);
    memset(key, 0, given.key_length);
    free(chain);
    free(key);
    free(name);
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){.name = "chat.example"}, &certificate));
    jz_tls_free(tls);
}

static void the_chain_is_sent_with_it(void **state)
{
    (void)state;
    made root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    made between =
        authority_make_with_own_key(&(plan){.issuer = &root, .is_authority = true, .common_name = "between"});
    made own = authority_make(&(plan){.issuer = &between, .names = "DNS:chat.example"});
    jz_tls_certificate whole = chain_in_memory(&own, &between);
    jz_tls_certificate alone = in_memory(&own);
    jz_tls *tls = create_of(&whole);
    assert_true(is_shown(tls, &(client_plan){.trusted = &root}, &own));
    jz_tls_free(tls);
    tls = create_of(&alone);
    assert_false(is_shown(tls, &(client_plan){.trusted = &root}, &own));
    jz_tls_free(tls);
}

static void nothing_is_logged_where_all_is_well(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example", .usage = "serverAuth"});
    jz_tls_certificate given = in_memory(&certificate);
    jz_tls_free(create_of(&given));
    assert_false(was_logged(""));
}

static void without_a_log_warnings_go_to_standard_error(void **state)
{
    (void)state;
    char line[128] = "";
    made expired = authority_make(&(plan){.begins = -90 * 86400, .ends = -3 * 86400 - 60});
    jz_tls_certificate given = in_memory(&expired);
    jz_tls_options options = options_with(&given, 1);
    options.log = NULL;
    int before = dup(STDERR_FILENO);
    FILE *file = fopen(write_file("stderr", ""), "r+");
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    jz_tls_free(create_with(&options));
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    rewind(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(strstr(line, "jazzy: warning: certificate 1 in memory expired 3 days ago: clients refuse it"));
    fclose(file);
    close(before);
}

static void what_is_doubtful_is_logged(void **state)
{
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    (void)state;
    const struct {
        plan plan;
        const char *line;
    } rows[] = {
        {{.begins = -3 * DAY, .ends = -2 * HOUR - MINUTE},
         "certificate 1 in memory expired 2 hours ago: clients refuse it; renew it"},
        {{.begins = -90 * DAY, .ends = -3 * DAY - HOUR}, "certificate 1 in memory expired 3 days ago"},
        {{.begins = 5 * DAY + HOUR, .ends = 90 * DAY},
         "certificate 1 in memory is not valid before 5 days have passed"},
        {{.begins = -82 * DAY, .ends = 8 * DAY + HOUR}, "certificate 1 in memory expires in 8 days; renew it"},
        {{.begins = -352 * DAY, .ends = 13 * DAY + HOUR}, "certificate 1 in memory expires in 13 days; renew it"},
        {{.begins = -6 * DAY, .ends = 14 * HOUR + MINUTE}, "certificate 1 in memory expires in 14 hours; renew it"},
        {{.usage = "clientAuth"}, "certificate 1 in memory is not made for servers"},
        {{.must_staple = true}, "certificate 1 in memory says that an OCSP response comes with it, and there is none"},
        {{.names = "DNS:chat.example,DNS:*"}, "certificate 1 in memory has names that no client can ask for"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        made certificate = authority_make(&rows[i].plan);
        jz_tls_certificate given = in_memory(&certificate);
        log_forget();
        jz_tls_free(create_of(&given));
        assert_that(was_logged(rows[i].line), "not logged: %s", rows[i].line);
        assert_int_equal(logged_count(JZ_LOG_WARNING), 1);
    }
}

static void an_end_that_is_far_enough_is_not_logged(void **state)
{
    enum { HOUR = 3600, DAY = 24 * HOUR };
    (void)state;
    const plan plans[] = {
        {.begins = -80 * DAY, .ends = 10 * DAY},
        {.begins = -350 * DAY, .ends = 15 * DAY},
        {.begins = -6 * DAY, .ends = 17 * HOUR},
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        made certificate = authority_make(&plans[i]);
        jz_tls_certificate given = in_memory(&certificate);
        jz_tls_free(create_of(&given));
    }
    assert_false(was_logged(""));
}

static void a_chain_in_another_order_is_logged(void **state)
{
    (void)state;
    made root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    made other = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "other"});
    made own = authority_make(&(plan){.issuer = &root, .common_name = "chat.example"});
    jz_tls_certificate given = chain_in_memory(&own, &other);
    jz_tls_free(create_of(&given));
    assert_true(was_logged("certificate 1 in memory is not in order: certificate 1 of it is not issued by the next"));
}

static void statistics_say_when_the_first_certificate_expires(void **state)
{
    enum { DAY = 24 * 3600 };
    (void)state;
    made late = authority_make(&(plan){.names = "DNS:a.example", .ends = 60 * DAY});
    made early = authority_make(&(plan){.names = "DNS:b.example", .ends = 30 * DAY});
    const jz_tls_certificate given[] = {in_memory(&late), in_memory(&early)};
    jz_tls_options options = options_with(given, 2);
    jz_tls *tls = create_with(&options);
    int64_t expires = jz_tls_statistics_of(tls).expires;
    int64_t now = (int64_t)time(NULL);
    assert_true(expires > now + 30 * DAY - 60 && expires <= now + 30 * DAY);
    jz_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        setting_test(a_certificate_in_files_is_shown),
        setting_test(a_key_may_be_beside_its_certificate),
        setting_test(a_mark_of_utf_8_does_no_harm),
        setting_test(everything_is_copied),
        setting_test(the_chain_is_sent_with_it),
        setting_test(nothing_is_logged_where_all_is_well),
        setting_test(without_a_log_warnings_go_to_standard_error),
        setting_test(what_is_doubtful_is_logged),
        setting_test(an_end_that_is_far_enough_is_not_logged),
        setting_test(a_chain_in_another_order_is_logged),
        setting_test(statistics_say_when_the_first_certificate_expires),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
