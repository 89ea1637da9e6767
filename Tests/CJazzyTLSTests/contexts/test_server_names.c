/* By the name that a client asks for, and by what it can verify, it gets one certificate of several. */
#include <stdio.h>

#include "contexts/names.h"
#include "support/setting.h"

static void names_have_one_form(void **state)
{
    (void)state;
    char longest[JZ_TLS_LONGEST_NAME + 3];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 64 == 63 ? '.' : 'a';
    longest[JZ_TLS_LONGEST_NAME] = '\0';
    const struct {
        const char *text;
        const char *name; /* NULL: it is none */
    } rows[] = {
        {"chat.example", "chat.example"},
        {"Chat.EXAMPLE.", "chat.example"},
        {"*.Example.com", "*.example.com"},
        {"localhost", "localhost"},
        {"_service.xn--caf-dma.example", "_service.xn--caf-dma.example"},
        {"192.0.2.1", "192.0.2.1"},
        {longest, longest},
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {".example", NULL},
        {"chat..example", NULL},
        {"chat.example..", NULL},
        {"*", NULL},
        {"*.", NULL},
        {"*.com", NULL},
        {"*.*.com", NULL},
        {"c*.example.com", NULL},
        {"chat.*.com", NULL},
        {"chat example", NULL},
        {"caf\xc3\xa9", NULL},
        {"::1", NULL},
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234.example", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_tls_name name;
        bool is_name = jz_tls_name_of(rows[i].text, strlen(rows[i].text), &name);
        assert_that(is_name == (rows[i].name != NULL), "%s", rows[i].text);
        if (is_name)
            assert_string_equal(name.text, rows[i].name);
    }
    jz_tls_name name;
    assert_false(jz_tls_name_of("chat\0.example", 13, &name));
    longest[JZ_TLS_LONGEST_NAME] = 'a';
    assert_false(jz_tls_name_of(longest, JZ_TLS_LONGEST_NAME + 1, &name));
}

/* Which one is shown for a name: its place, counted from 0. */
static void expect(jz_tls *tls, const char *name, const made *all, size_t count, size_t which)
{
    const client_plan plan = {.name = name};
    for (size_t i = 0; i < count; i++)
        assert_that(is_shown(tls, &plan, &all[i]) == (i == which), "%s: %zu", name, i);
}

static void a_name_leads_to_its_certificate(void **state)
{
    (void)state;
    const made all[] = {
        authority_make(&(plan){.names = "DNS:first.example,DNS:*.first.example"}),
        authority_make(&(plan){.names = "DNS:chat.example,DNS:*.chat.example.com,IP:192.0.2.1,URI:https://u.example/"}),
        authority_make(&(plan){.names = "DNS:one.chat.example.com", .common_name = "ignored.example"}),
        authority_make(&(plan){.common_name = "old.example"}),
        authority_make(&(plan){.names = "DNS:ignored.example"}),
    };
    const char *const names[] = {"Given.example", "*.given.example"};
    jz_tls_certificate given[COUNT_OF(all)];
    for (size_t i = 0; i < COUNT_OF(all); i++)
        given[i] = in_memory(&all[i]);
    given[4].names = names;
    given[4].name_count = COUNT_OF(names);
    jz_tls_options options = options_with(given, COUNT_OF(all));
    jz_tls *tls = create_with(&options);
    const struct {
        const char *name;
        size_t which;
    } rows[] = {
        {NULL, 0},
        {"first.example", 0},
        {"unknown.example", 0},
        {"not a name", 0},
        {"chat.example", 1},
        {"CHAT.example", 1},
        {"chat.example.", 1},
        {"x.chat.example", 0},         /* no wildcard of it */
        {"two.chat.example.com", 1},   /* by the wildcard */
        {"one.chat.example.com", 2},   /* exactly, although a wildcard of another one matches */
        {"a.two.chat.example.com", 0}, /* a wildcard is one label */
        {"chat.example.com", 0},       /* and not none */
        {"192.0.2.1", 0},
        {"u.example", 0},
        {"old.example", 3},     /* by its CN, because it has no other names */
        {"ignored.example", 0}, /* neither by a CN beside names, nor by those of a certificate with others */
        {"given.example", 4},
        {"a.given.example", 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect(tls, rows[i].name, all, COUNT_OF(all), rows[i].which);
    assert_false(was_logged(""));
    jz_tls_free(tls);
}

static void unknown_names_are_refused_where_asked(void **state)
{
    (void)state;
    made own = authority_make(&(plan){.names = "DNS:chat.example"});
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.refuses_unknown_names = true;
    jz_tls *tls = create_with(&options);
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        handshake unknown = handshake_with(
            tls, &(client_plan){.name = "unknown.example", .lowest = versions[i], .highest = versions[i]});
        assert_false(unknown.has_succeeded);
        assert_int_equal(unknown.alert, SSL_AD_UNRECOGNIZED_NAME);
        handshake_end(&unknown);
        assert_true(is_shown(tls, &(client_plan){.name = "chat.example", .highest = versions[i]}, &own));
        assert_true(is_shown(tls, &(client_plan){.highest = versions[i]}, &own)); /* it asks for none */
    }
    jz_tls_free(tls);
}

static void kinds_stand_side_by_side(void **state)
{
    (void)state;
    made ecdsa = authority_make(&(plan){.names = "DNS:chat.example,DNS:ecdsa.example"});
    made rsa = authority_make(&(plan){.key = KEY_RSA_2048, .names = "DNS:chat.example,DNS:rsa.example"});
    made ed25519 = authority_make(&(plan){.key = KEY_ED25519, .names = "DNS:chat.example"});
    const jz_tls_certificate given[] = {in_memory(&ecdsa), in_memory(&rsa), in_memory(&ed25519)};
    jz_tls_options options = options_with(given, COUNT_OF(given));
    jz_tls *tls = create_with(&options);
    const struct {
        const char *name;
        const char *signatures;
        const made *shown; /* NULL: no handshake */
    } rows[] = {
        {"chat.example", "ECDSA+SHA256", &ecdsa},
        {"chat.example", "RSA-PSS+SHA256", &rsa},
        {"chat.example", "ed25519", &ed25519},
        {"chat.example", "ECDSA+SHA256:RSA-PSS+SHA256", &ecdsa},
        {NULL, "RSA-PSS+SHA256", &rsa}, /* the default is the first one, and what stands beside it */
        {NULL, "ECDSA+SHA256", &ecdsa},
        {"unknown.example", "ed25519", &ed25519},
        {"ecdsa.example", "ECDSA+SHA256", &ecdsa},
        {"ecdsa.example", "RSA-PSS+SHA256", NULL},
        {"rsa.example", "RSA-PSS+SHA256", &rsa},
        {"rsa.example", "ECDSA+SHA256", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const client_plan plan = {.name = rows[i].name, .signatures = rows[i].signatures};
        if (rows[i].shown != NULL) {
            assert_that(is_shown(tls, &plan, rows[i].shown), "row %zu", i);
            continue;
        }
        handshake handshake = handshake_with(tls, &plan);
        assert_that(!handshake.has_succeeded, "row %zu", i);
        handshake_end(&handshake);
    }
    jz_tls_free(tls);
}

static void the_suites_of_tls_1_2_choose_the_kind(void **state)
{
    (void)state;
    made rsa = authority_make(&(plan){.key = KEY_RSA_2048, .names = "DNS:chat.example"});
    made ecdsa = authority_make(&(plan){.key = KEY_P384, .names = "DNS:chat.example"});
    const jz_tls_certificate given[] = {in_memory(&rsa), in_memory(&ecdsa)};
    jz_tls_options options = options_with(given, COUNT_OF(given));
    jz_tls *tls = create_with(&options);
    client_plan plan = {.highest = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256"};
    assert_true(is_shown(tls, &plan, &rsa));
    plan.suites = "ECDHE-ECDSA-AES128-GCM-SHA256";
    assert_true(is_shown(tls, &plan, &ecdsa));
    jz_tls_free(tls);
}

static void of_several_for_a_name_the_first_is_used(void **state)
{
    (void)state;
    made first = authority_make_with_own_key(&(plan){.names = "DNS:chat.example"});
    made second = authority_make_with_own_key(&(plan){.names = "DNS:chat.example,DNS:other.example"});
    made third = authority_make_with_own_key(&(plan){.names = "DNS:chat.example"});
    made nameless = authority_make_with_own_key(&(plan){.common_name = "A chat server"});
    const jz_tls_certificate given[] = {in_memory(&first), in_memory(&second), in_memory(&third), in_memory(&nameless)};
    jz_tls_options options = options_with(given, COUNT_OF(given));
    jz_tls *tls = create_with(&options);
    assert_true(is_shown(tls, &(client_plan){.name = "chat.example"}, &first));
    assert_true(is_shown(tls, &(client_plan){.name = "other.example"}, &second));
    assert_true(was_logged("certificate 3 in memory is never used"));
    assert_true(was_logged("certificate 4 in memory is never used"));
    assert_int_equal(logged_count(JZ_LOG_WARNING), 2);
    jz_tls_free(tls);
}

static void there_may_be_many(void **state)
{
    enum { MANY = 300 };
    (void)state;
    static char names[MANY][32];
    static const char *pointers[MANY];
    static jz_tls_certificate given[MANY];
    made first = authority_make_with_own_key(&(plan){0});
    made others = authority_make_with_own_key(&(plan){.key = KEY_ED25519});
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "n%zu.example", i);
        pointers[i] = names[i];
        given[i] = i == 0 ? in_memory(&first) : given[1];
        if (i == 1)
            given[i] = in_memory(&others);
        given[i].names = &pointers[i];
        given[i].name_count = 1;
    }
    jz_tls_options options = options_with(given, MANY);
    jz_tls *tls = create_with(&options);
    assert_true(is_shown(tls, &(client_plan){.name = "n0.example"}, &first));
    assert_true(is_shown(tls, &(client_plan){.name = "n1.example"}, &others));
    assert_true(is_shown(tls, &(client_plan){.name = "n299.example"}, &others));
    assert_true(is_shown(tls, &(client_plan){.name = "n300.example"}, &first));
    jz_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_one_form),
        setting_test(a_name_leads_to_its_certificate),
        setting_test(unknown_names_are_refused_where_asked),
        setting_test(kinds_stand_side_by_side),
        setting_test(the_suites_of_tls_1_2_choose_the_kind),
        setting_test(of_several_for_a_name_the_first_is_used),
        setting_test(there_may_be_many),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
