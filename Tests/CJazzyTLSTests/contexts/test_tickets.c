/* Sessions are resumed by tickets, whose keys are shared and rotate; nothing is kept for a session. */
#include <time.h>

#include "support/clock.h"
#include "support/setting.h"

enum { LIFETIME_S = 7200, START_S = LIFETIME_S * 250000 /* the beginning of a period */ };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const char secret[] = "32 bytes that several processes know";
static made own;

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    own = authority_make(&(plan){.names = "DNS:chat.example,DNS:*.chat.example"});
    return 0;
}

static int end(void **state)
{
    test_clocks_run();
    return setting_end(state);
}

static jz_tls *create_sharing(const char *shared_secret)
{
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.ticket_secret = shared_secret;
    options.ticket_secret_length = shared_secret != NULL ? strlen(shared_secret) : 0;
    return create_with(&options);
}

/* A session of a full handshake; to be freed. */
static SSL_SESSION *begin_session(jz_tls *tls, int version)
{
    handshake handshake = handshake_with(tls, &(client_plan){.lowest = version, .highest = version});
    assert_true(handshake.has_succeeded);
    assert_null(handshake_property(&handshake, "tls.resumed"));
    SSL_SESSION *session = handshake_session(&handshake);
    assert_non_null(session);
    handshake_end(&handshake);
    return session;
}

/* Whether it is resumed. Where it is not there is a full handshake, which succeeds. `next`: the session after it. */
static bool resumes(jz_tls *tls, SSL_SESSION *session, int version, SSL_SESSION **next)
{
    handshake handshake =
        handshake_with(tls, &(client_plan){.lowest = version, .highest = version, .session = session});
    assert_true(handshake.has_succeeded);
    const char *resumed = handshake_property(&handshake, "tls.resumed");
    assert_true(resumed == NULL || strcmp(resumed, "true") == 0);
    assert_int_equal(SSL_session_reused(handshake.client), resumed != NULL);
    if (next != NULL)
        *next = handshake_session(&handshake);
    handshake_end(&handshake);
    return resumed != NULL;
}

static void a_session_is_resumed(void **state)
{
    (void)state;
    jz_tls *tls = create_sharing(NULL);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        SSL_SESSION *session = begin_session(tls, versions[i]);
        SSL_SESSION *next;
        assert_true(resumes(tls, session, versions[i], &next));
        assert_true(resumes(tls, next, versions[i], NULL));
        SSL_SESSION_free(next);
        SSL_SESSION_free(session);
    }
    jz_tls_free(tls);
}

static void nothing_is_kept_for_a_session(void **state)
{
    (void)state;
    jz_tls *tls = create_sharing(NULL);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        handshake handshake = handshake_with(tls, &(client_plan){.lowest = versions[i], .highest = versions[i]});
        SSL_CTX *context = SSL_get_SSL_CTX(handshake.server);
        assert_true(handshake.has_succeeded);
        assert_int_equal(SSL_CTX_sess_number(context), 0);
        SSL_CTX_up_ref(context);
        handshake_end(&handshake);
        assert_int_equal(SSL_CTX_sess_number(context), 0);
        SSL_CTX_free(context);
    }
    jz_tls_free(tls);
}

/* The key for it is an old one, so that there is a new ticket by the present key. */
static void a_session_of_tls_1_2_gets_a_new_ticket_in_time(void **state)
{
    (void)state;
    test_date_stop(START_S + LIFETIME_S - 60);
    jz_tls *tls = create_sharing(NULL);
    SSL_SESSION *session = begin_session(tls, TLS1_2_VERSION);
    SSL_SESSION *same;
    SSL_SESSION *renewed;
    assert_true(resumes(tls, session, TLS1_2_VERSION, &same));
    assert_ptr_equal(same, session);
    test_date_stop(START_S + LIFETIME_S + 60);
    assert_true(resumes(tls, session, TLS1_2_VERSION, &renewed));
    assert_ptr_not_equal(renewed, session);
    assert_true(resumes(tls, renewed, TLS1_2_VERSION, NULL));
    SSL_SESSION_free(renewed);
    SSL_SESSION_free(same);
    SSL_SESSION_free(session);
    jz_tls_free(tls);
}

static void a_session_outlives_its_certificate(void **state)
{
    (void)state;
    made renewed = authority_make_with_own_key(&(plan){.names = "DNS:chat.example"});
    jz_tls_certificate given = in_memory(&renewed);
    jz_tls *tls = create_sharing(NULL);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        SSL_SESSION *session = begin_session(tls, versions[i]);
        assert_int_equal(jz_tls_replace(tls, &given, 1, NULL), JZ_OK);
        assert_true(resumes(tls, session, versions[i], NULL));
        SSL_SESSION_free(session);
    }
    assert_true(is_shown(tls, &(client_plan){0}, &renewed));
    jz_tls_free(tls);
}

static void without_lifetime_nothing_is_resumed(void **state)
{
    (void)state;
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.ticket_lifetime_s = 0;
    jz_tls *tls = create_with(&options);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        handshake handshake = handshake_with(tls, &(client_plan){.lowest = versions[i], .highest = versions[i]});
        assert_true(handshake.has_succeeded);
        SSL_SESSION *session = handshake_session(&handshake);
        handshake_end(&handshake);
        assert_true(session == NULL || !SSL_SESSION_has_ticket(session));
        if (session != NULL)
            assert_false(resumes(tls, session, versions[i], NULL));
        SSL_SESSION_free(session);
    }
    jz_tls_free(tls);
}

static void another_process_resumes_it_if_it_has_the_secret(void **state)
{
    (void)state;
    const struct {
        const char *secret;
        bool is_resumed;
    } rows[] = {{secret, true}, {"32 bytes that other processes know..", false}, {NULL, false}};
    jz_tls *tls = create_sharing(secret);
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        jz_tls *other = create_sharing(rows[row].secret);
        for (size_t i = 0; i < COUNT_OF(versions); i++) {
            SSL_SESSION *session = begin_session(tls, versions[i]);
            assert_that(resumes(other, session, versions[i], NULL) == rows[row].is_resumed, "row %zu", row);
            SSL_SESSION_free(session);
        }
        jz_tls_free(other);
    }
    jz_tls_free(tls);
}

/* A ticket that was forged, cut or lengthened is none of ours: a full handshake follows. */
static void a_changed_ticket_is_not_resumed(void **state)
{
    (void)state;
    jz_tls *tls = create_sharing(NULL);
    SSL_SESSION *session = begin_session(tls, TLS1_2_VERSION);
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    for (size_t at = 0; at < length; at += 5) {
        SSL_SESSION *changed = SSL_SESSION_dup(session);
        SSL_SESSION_get0_ticket(changed, &ticket, &length);
        ((unsigned char *)ticket)[at] ^= 1;
        assert_that(!resumes(tls, changed, TLS1_2_VERSION, NULL), "changed at %zu", at);
        SSL_SESSION_free(changed);
    }
    assert_true(resumes(tls, session, TLS1_2_VERSION, NULL));
    SSL_SESSION_free(session);
    jz_tls_free(tls);
}

/* From any moment of a period on, with random keys and with those of a secret. */
static void a_session_is_resumed_for_its_lifetime(void **state)
{
    (void)state;
    const struct {
        const char *secret;
        int64_t begins;
        int64_t after;
        bool is_resumed;
    } rows[] = {
        {NULL, 0, 0, true},
        {NULL, 0, LIFETIME_S - 1, true},
        {NULL, 0, LIFETIME_S, false},
        {NULL, LIFETIME_S - 1, LIFETIME_S - 1, true}, /* with the key of the period before */
        {NULL, LIFETIME_S - 1, LIFETIME_S, false},
        {NULL, LIFETIME_S / 2, LIFETIME_S - 1, true},
        {NULL, 0, 10 * LIFETIME_S, false},
        {NULL, LIFETIME_S / 2, -LIFETIME_S, true}, /* the clock was set back */
        {secret, 0, LIFETIME_S - 1, true},
        {secret, LIFETIME_S - 1, LIFETIME_S - 1, true},
        {secret, LIFETIME_S - 1, LIFETIME_S, false},
        {secret, LIFETIME_S / 2, -LIFETIME_S, true}, /* this process is behind the other */
        {secret, LIFETIME_S / 2, -2 * LIFETIME_S, false},
        {secret, 0, 10 * LIFETIME_S, false},
    };
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        for (size_t i = 0; i < COUNT_OF(versions); i++) {
            test_date_stop(START_S + rows[row].begins);
            jz_tls *tls = create_sharing(rows[row].secret);
            SSL_SESSION *session = begin_session(tls, versions[i]);
            test_date_stop(START_S + rows[row].begins + rows[row].after);
            assert_that(resumes(tls, session, versions[i], NULL) == rows[row].is_resumed, "row %zu, %zu", row, i);
            SSL_SESSION_free(session);
            jz_tls_free(tls);
        }
    }
}

/* Each resumption has a new ticket, which does not begin a new life. */
static void resumptions_do_not_prolong_a_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        test_date_stop(START_S);
        jz_tls *tls = create_sharing(NULL);
        SSL_SESSION *session = begin_session(tls, versions[i]);
        for (int64_t after = LIFETIME_S / 4; after < LIFETIME_S; after += LIFETIME_S / 4) {
            SSL_SESSION *next;
            test_date_stop(START_S + after);
            assert_true(resumes(tls, session, versions[i], &next));
            SSL_SESSION_free(session);
            session = next;
        }
        test_date_stop(START_S + LIFETIME_S);
        assert_false(resumes(tls, session, versions[i], NULL));
        SSL_SESSION_free(session);
        jz_tls_free(tls);
    }
}

/* The name of its key is what a ticket begins with. */
static void copy_key_name(jz_tls *tls, unsigned char name[16])
{
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION *session = begin_session(tls, TLS1_2_VERSION);
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    assert_true(length > 16);
    memcpy(name, ticket, 16);
    SSL_SESSION_free(session);
}

static void keys_rotate(void **state)
{
    (void)state;
    const char *const secrets[] = {NULL, secret};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        unsigned char first[16];
        unsigned char later[16];
        test_date_stop(START_S);
        jz_tls *tls = create_sharing(secrets[i]);
        copy_key_name(tls, first);
        test_date_stop(START_S + LIFETIME_S - 1);
        copy_key_name(tls, later);
        assert_memory_equal(later, first, sizeof first);
        test_date_stop(START_S + LIFETIME_S);
        copy_key_name(tls, later);
        assert_memory_not_equal(later, first, sizeof first);
        jz_tls_free(tls);
    }
}

/* Of TLS 1.3 a session is not bound to a name; of TLS 1.2 it is (RFC 6066 §3). What was asked for is known always. */
static void a_session_is_of_the_name_that_was_asked_for(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {"other.example", "local.example", "unknown.example", NULL};
    (void)state;
    made other = authority_make(&(plan){.names = "DNS:other.example"});
    const jz_tls_certificate given[] = {in_memory(&own), in_memory(&other)};
    jz_tls_options options = options_with(given, 2);
    jz_tls *tls = create_with(&options);
    for (size_t i = 0; i < COUNT_OF(versions) * COUNT_OF(names) * COUNT_OF(names); i++) {
        int version = versions[i % 2];
        const char *before = names[i / 2 % COUNT_OF(names)];
        const char *now = names[i / 2 / COUNT_OF(names)];
        client_plan client = {.name = before, .lowest = version, .highest = version};
        handshake first = handshake_with(tls, &client);
        client.session = handshake_session(&first);
        client.name = now;
        handshake_end(&first);
        handshake again = handshake_with(tls, &client);
        assert_true(again.has_succeeded);
        assert_int_equal(SSL_session_reused(again.server), version == TLS1_3_VERSION || before == now);
        const char *asked = handshake_property(&again, "tls.server_name");
        assert_string_equal(asked != NULL ? asked : "", now != NULL ? now : "");
        handshake_end(&again);
        SSL_SESSION_free(client.session);
    }
    jz_tls_free(tls);
}

static void a_session_does_not_open_a_name_that_is_refused(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {"own.example", NULL};
    (void)state;
    made named = authority_make(&(plan){.names = "DNS:own.example"});
    jz_tls_certificate given = in_memory(&named);
    jz_tls_options options = options_with(&given, 1);
    options.refuses_unknown_names = true;
    jz_tls *tls = create_with(&options);
    for (size_t i = 0; i < COUNT_OF(versions) * COUNT_OF(names); i++) {
        client_plan client = {.name = names[i / 2], .lowest = versions[i % 2], .highest = versions[i % 2]};
        handshake first = handshake_with(tls, &client);
        client.session = handshake_session(&first);
        client.name = "unknown.example";
        handshake_end(&first);
        handshake again = handshake_with(tls, &client);
        assert_false(again.has_succeeded);
        assert_int_equal(again.alert, SSL_AD_UNRECOGNIZED_NAME);
        handshake_end(&again);
        SSL_SESSION_free(client.session);
    }
    jz_tls_free(tls);
}

int main(void)
{
#define ticket_test(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        ticket_test(a_session_is_resumed),
        ticket_test(nothing_is_kept_for_a_session),
        ticket_test(a_session_of_tls_1_2_gets_a_new_ticket_in_time),
        ticket_test(a_session_outlives_its_certificate),
        ticket_test(without_lifetime_nothing_is_resumed),
        ticket_test(another_process_resumes_it_if_it_has_the_secret),
        ticket_test(a_changed_ticket_is_not_resumed),
        ticket_test(a_session_is_resumed_for_its_lifetime),
        ticket_test(resumptions_do_not_prolong_a_session),
        ticket_test(keys_rotate),
        ticket_test(a_session_is_of_the_name_that_was_asked_for),
        ticket_test(a_session_does_not_open_a_name_that_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
