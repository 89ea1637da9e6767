/* Files that change while many threads shake hands: nobody gets half of anything, or what is over. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "support/ocsp.h"
#include "support/setting.h"

enum { THREADS = 3, ENOUGH = 60 /* handshakes that say something */ };

static made root;
static made own;
static jz_tls *tls;
static atomic_bool is_over;

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    is_over = false;
    root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    own = authority_make(&(plan){.issuer = &root, .names = "DNS:chat.example"});
    return 0;
}

/* What OpenSSL, and the tests, prepare once. */
static void warm_up(void)
{
    handshake first = handshake_with(tls, &(client_plan){0});
    handshake_end(&first);
}

static void run_threads(void *(*act)(void *), void (*change)(unsigned round), const atomic_uint *telling)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, act, NULL), 0);
    for (unsigned round = 0; *telling < ENOUGH; round++)
        change(round);
    is_over = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Two responses, of which the file has one after the other, and sometimes a part. */
static uint8_t responses[2][OCSP_SIZE];
static size_t lengths[2];
static atomic_uint stapled[2];
static atomic_uint all_stapled; /* ENOUGH: of both enough were seen */
static atomic_uint unstapled;
static atomic_uint wrong;

static void *ask_for_status(void *context)
{
    (void)context;
    while (!is_over) {
        const unsigned char *sent = NULL;
        handshake handshake = handshake_with(tls, &(client_plan){.asks_for_status = true});
        long length = SSL_get_tlsext_status_ocsp_resp(handshake.client, &sent);
        bool is_first = length == (long)lengths[0] && memcmp(sent, responses[0], lengths[0]) == 0;
        bool is_second = length == (long)lengths[1] && memcmp(sent, responses[1], lengths[1]) == 0;
        if (!handshake.has_succeeded || (length != -1 && !is_first && !is_second))
            wrong++;
        else if (length == -1)
            unstapled++;
        else
            stapled[is_second ? 1 : 0]++;
        if (stapled[0] >= ENOUGH / 4 && stapled[1] >= ENOUGH / 4)
            all_stapled = ENOUGH;
        handshake_end(&handshake);
    }
    return NULL;
}

static void change_response(unsigned round)
{
    const uint8_t *bytes = responses[round / 2 % 2];
    size_t length = lengths[round / 2 % 2];
    /* Written in place, once as a half, which a reload may find. */
    write_bytes("ocsp.der", bytes, round % 4 == 1 ? length / 2 : length);
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
}

static void a_response_that_is_swapped_is_sent_whole_or_not_at_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ocsp_plan plan = {.about = &own, .issuer = &root, .ends = (7 + i) * 24 * 3600};
        lengths[i] = ocsp_make(&plan, responses[i]);
        stapled[i] = 0;
    }
    all_stapled = unstapled = wrong = 0;
    jz_tls_certificate given = chain_in_memory(&own, &root);
    given.ocsp_file = write_bytes("ocsp.der", responses[0], lengths[0]);
    tls = create_of(&given);
    warm_up();
    run_threads(ask_for_status, change_response, &all_stapled);
    assert_int_equal(wrong, 0);
    jz_tls_free(tls);
}

/* The number of the authority that counts now; odd: it changes. */
static atomic_uint epoch;
static made authorities[2];
static made clients[2];
static atomic_uint judged;
static atomic_uint let_in_wrongly;
static atomic_uint refused_wrongly;
static atomic_uint resumed;
static atomic_uint all_judged; /* ENOUGH: enough were, and some resumed a session */

static void *resume_often(void *context)
{
    (void)context;
    SSL_SESSION *sessions[2] = {NULL, NULL};
    for (unsigned i = 0; !is_over; i++) {
        size_t who = i % 2;
        unsigned before = epoch;
        client_plan plan = {.identity = &clients[who], .session = sessions[who]};
        plan.lowest = plan.highest = i / 2 % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
        if (plan.session != NULL && SSL_SESSION_get_protocol_version(plan.session) != plan.highest)
            plan.session = NULL;
        handshake handshake = handshake_with(tls, &plan);
        if (before % 2 == 0 && epoch == before) { /* nothing changed meanwhile */
            bool is_valid = before / 2 % 2 == who;
            judged++;
            let_in_wrongly += handshake.has_succeeded && !is_valid;
            refused_wrongly += !handshake.has_succeeded && is_valid;
        }
        if (handshake.has_succeeded) {
            resumed += handshake_property(&handshake, "tls.resumed") != NULL;
            SSL_SESSION_free(sessions[who]);
            sessions[who] = handshake_session(&handshake);
        }
        if (judged >= ENOUGH && resumed > 0)
            all_judged = ENOUGH;
        handshake_end(&handshake);
    }
    SSL_SESSION_free(sessions[0]);
    SSL_SESSION_free(sessions[1]);
    return NULL;
}

static void change_authority(unsigned round)
{
    unsigned wanted = judged + 4;
    epoch++;
    write_file("ca.pem", pem_of_certificates(&authorities[(round + 1) % 2], NULL, NULL));
    assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
    epoch++;
    while (judged < wanted)
        sched_yield();
}

static void an_authority_that_is_gone_opens_nothing_in_a_storm_of_resumptions(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        authorities[i] = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "Clients"});
        clients[i] = authority_make_with_own_key(&(plan){.issuer = &authorities[i], .common_name = "client"});
    }
    epoch = judged = let_in_wrongly = refused_wrongly = resumed = all_judged = 0;
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", pem_of_certificates(&authorities[0], NULL, NULL));
    tls = create_with(&options);
    warm_up();
    run_threads(resume_often, change_authority, &all_judged);
    assert_int_equal(let_in_wrongly, 0);
    assert_int_equal(refused_wrongly, 0);
    jz_tls_free(tls);
}

int main(void)
{
#define storm_test(function) cmocka_unit_test_setup_teardown(function, begin, setting_end)
    const struct CMUnitTest tests[] = {
        storm_test(a_response_that_is_swapped_is_sent_whole_or_not_at_all),
        storm_test(an_authority_that_is_gone_opens_nothing_in_a_storm_of_resumptions),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
