/* Certificates are replaced as a whole or not at all, while handshakes go on. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/allocation.h"
#include "support/setting.h"

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

static void files_are_read_again(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_of(&given);
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    in_files("own", &renewed);
    assert_true(is_shown(tls, &(client_plan){0}, &old)); /* not before that is asked for */
    jz_error error;
    assert_int_equal(jz_tls_reload(tls, &error), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){0}, &renewed));
    assert_int_equal(jz_tls_statistics_of(tls).reloads, 1);
    assert_int_equal(jz_tls_statistics_of(tls).failed_reloads, 0);
    jz_tls_free(tls);
}

static void what_is_wrong_replaces_nothing(void **state)
{
    (void)state;
    jz_tls_certificate given = in_files("own", &old);
    jz_tls *tls = create_of(&given);
    const struct {
        const char *certificate;
        const char *key;
        const char *says;
    } rows[] = {
        {pem_of_certificates(&renewed, NULL, NULL), pem_of_key(&old, NULL), "own.key\" does not belong to"},
        {"-----BEGIN CERTIFICATE-----\nMIIB", pem_of_key(&renewed, NULL), "certificate 1 in certificate file"},
        {pem_of_certificates(&renewed, NULL, NULL), "", "own.key\" is empty"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_error error;
        write_file("own.pem", rows[i].certificate);
        write_file("own.key", rows[i].key);
        assert_int_equal(jz_tls_reload(tls, &error), JZ_STATUS_INVALID_OPTION);
        assert_that(strstr(error.message, rows[i].says) != NULL, "%s", error.message);
        assert_int_equal(jz_tls_reload(tls, NULL), JZ_STATUS_INVALID_OPTION);
        assert_int_equal(ERR_peek_error(), 0);
        assert_true(is_shown(tls, &(client_plan){0}, &old));
    }
    assert_int_equal(jz_tls_statistics_of(tls).reloads, 0);
    assert_int_equal(jz_tls_statistics_of(tls).failed_reloads, 2 * COUNT_OF(rows));
    in_files("own", &renewed);
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){0}, &renewed));
    jz_tls_free(tls);
}

static void others_can_be_given(void **state)
{
    (void)state;
    made more = authority_make_with_own_key(&(plan){.names = "DNS:more.example"});
    jz_tls_certificate first = in_memory(&old);
    jz_tls_certificate others[] = {in_files("own", &renewed), in_memory(&more)};
    jz_tls *tls = create_of(&first);
    assert_int_equal(jz_tls_replace(tls, others, COUNT_OF(others), NULL), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){0}, &renewed));
    assert_true(is_shown(tls, &(client_plan){.name = "more.example"}, &more));
    in_files("own", &old); /* they are what is read again */
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    jz_tls_free(tls);
}

static void wrong_others_replace_nothing(void **state)
{
    (void)state;
    jz_tls_certificate first = in_files("own", &old);
    jz_tls *tls = create_of(&first);
    jz_tls_certificate gone = {.certificate_file = path_of("gone.pem")};
    jz_tls_certificate nothing = {0};
    jz_error error;
    assert_int_equal(jz_tls_replace(tls, &gone, 1, &error), JZ_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "gone.pem\" does not exist"));
    assert_int_equal(jz_tls_replace(tls, &nothing, 1, &error), JZ_STATUS_INVALID_OPTION);
    assert_int_equal(jz_tls_replace(tls, NULL, 0, NULL), JZ_STATUS_INVALID_OPTION);
    assert_int_equal(jz_tls_statistics_of(tls).failed_reloads, 3);
    assert_true(is_shown(tls, &(client_plan){0}, &old));
    in_files("own", &renewed); /* the first ones are still what is read again */
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    assert_true(is_shown(tls, &(client_plan){0}, &renewed));
    jz_tls_free(tls);
}

static void a_handshake_ends_with_the_certificates_that_it_began_with(void **state)
{
    (void)state;
    made other = authority_make_with_own_key(&(plan){.names = "DNS:other.example"});
    const jz_tls_certificate given[] = {in_memory(&old), in_memory(&other)};
    jz_tls_certificate next = in_memory(&renewed);
    jz_tls_options options = options_with(given, COUNT_OF(given));
    jz_tls *tls = create_with(&options);
    jz_tls_generation *generation = jz_tls_borrow_generation(tls);
    assert_int_equal(jz_tls_replace(tls, &next, 1, NULL), JZ_OK);
    handshake handshake = handshake_with_generation(generation, &(client_plan){.name = "other.example"});
    jz_tls_release_generation(generation);
    assert_true(handshake.has_succeeded);
    assert_int_equal(X509_cmp(handshake_certificate(&handshake), other.certificate), 0);
    assert_true(SSL_write(handshake.server, "hello", 5) == 5); /* it outlives its generation */
    handshake_end(&handshake);
    assert_true(is_shown(tls, &(client_plan){.name = "other.example"}, &renewed));
    jz_tls_free(tls);
}

/* Whoever ends its last handshake is a loop, which has other things to do. */
static void many_contexts_are_freed_by_who_loads(void **state)
{
    enum { MANY = 12 };
    (void)state;
    static char names[MANY][16];
    static const char *pointers[MANY];
    jz_tls_certificate given[MANY];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "n%zu.example", i);
        pointers[i] = names[i];
        given[i] = in_memory(&old);
        given[i].names = &pointers[i];
        given[i].name_count = 1;
    }
    jz_tls_certificate few = in_memory(&renewed);
    jz_tls_options options = options_with(given, MANY);
    for (int ends_first = 0; ends_first <= 1; ends_first++) {
        jz_tls *tls = create_with(&options);
        jz_tls_generation *generation = jz_tls_borrow_generation(tls);
        assert_int_equal(jz_tls_replace(tls, &few, 1, NULL), JZ_OK);
        size_t live = test_live_allocations();
        assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
        assert_int_equal(test_live_allocations(), live); /* it is in use */
        if (ends_first == 0) {
            jz_tls_release_generation(generation);
            assert_int_equal(test_live_allocations(), live);
            assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
            assert_true(test_live_allocations() <= live - MANY);
            jz_tls_free(tls);
        } else {
            jz_tls_free(tls);
            jz_tls_release_generation(generation);
        }
    }
}

static size_t passphrase(void *context, char *bytes, size_t capacity)
{
    (void)capacity;
    ++*(unsigned *)context;
    memcpy(bytes, "secret", 6);
    return 6;
}

static void a_passphrase_is_asked_for_again(void **state)
{
    (void)state;
    unsigned asked = 0;
    jz_tls_certificate given = in_files("own", &old);
    write_file("own.key", pem_of_key(&old, "secret"));
    given.passphrase = passphrase;
    given.passphrase_context = &asked;
    jz_tls *tls = create_of(&given);
    assert_int_equal(asked, 1);
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    assert_int_equal(asked, 2);
    jz_tls_free(tls);
}

enum { HANDSHAKES = 150, THREADS = 3, RELOADS = 100 };

/* Of a thread that shakes hands while certificates are replaced. */
typedef struct shaking {
    pthread_t thread;
    jz_tls *tls;
    size_t failed;
    size_t resumed;
} shaking;

static atomic_uint shaking_threads;

static bool shakes_hands(jz_tls *tls, SSL_SESSION **session, size_t *resumed)
{
    handshake handshake = handshake_with(tls, &(client_plan){.name = "chat.example", .session = *session});
    bool has_succeeded = handshake.has_succeeded;
    if (has_succeeded) {
        *resumed += handshake_property(&handshake, "tls.resumed") != NULL ? 1 : 0;
        SSL_SESSION_free(*session);
        *session = handshake_session(&handshake);
    }
    handshake_end(&handshake);
    return has_succeeded;
}

static void *shake_hands_often(void *context)
{
    shaking *shaking = context;
    SSL_SESSION *session = NULL;
    for (unsigned i = 0; i < HANDSHAKES; i++) {
        if (i % 3 == 0) { /* a full one */
            SSL_SESSION_free(session);
            session = NULL;
        }
        shaking->failed += shakes_hands(shaking->tls, &session, &shaking->resumed) ? 0 : 1;
        jz_tls_statistics_of(shaking->tls);
    }
    SSL_SESSION_free(session);
    shaking_threads--;
    return NULL;
}

static void no_handshake_fails_while_certificates_are_replaced(void **state)
{
    (void)state;
    jz_tls_certificate given[] = {in_files("own", &old), in_memory(&renewed)};
    jz_tls *tls = create_of(&given[0]);
    shaking all[THREADS] = {{.tls = tls}, {.tls = tls}, {.tls = tls}};
    handshake first = handshake_with(tls, &(client_plan){0}); /* what OpenSSL, and the tests, prepare once */
    handshake_end(&first);
    shaking_threads = THREADS;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&all[i].thread, NULL, shake_hands_often, &all[i]), 0);
    unsigned reloads = 0;
    for (; reloads < RELOADS || shaking_threads > 0; reloads++) {
        if (reloads % 2 == 0)
            assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
        else
            assert_int_equal(jz_tls_replace(tls, &given[reloads / 2 % 2], 1, NULL), JZ_OK);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(all[i].thread, NULL);
        assert_int_equal(all[i].failed, 0);
        assert_int_equal(all[i].resumed, HANDSHAKES - HANDSHAKES / 3);
    }
    assert_int_equal(jz_tls_statistics_of(tls).reloads, reloads);
    jz_tls_free(tls);
}

int main(void)
{
#define reload_test(function) cmocka_unit_test_setup_teardown(function, begin, setting_end)
    const struct CMUnitTest tests[] = {
        reload_test(files_are_read_again),
        reload_test(what_is_wrong_replaces_nothing),
        reload_test(others_can_be_given),
        reload_test(wrong_others_replace_nothing),
        reload_test(a_handshake_ends_with_the_certificates_that_it_began_with),
        reload_test(many_contexts_are_freed_by_who_loads),
        reload_test(a_passphrase_is_asked_for_again),
        reload_test(no_handshake_fails_while_certificates_are_replaced),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
