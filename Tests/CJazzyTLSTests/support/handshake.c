#include "support/handshake.h"

#include "support/testing.h"

enum { MOST_STEPS = 64, BIO_SIZE = 64 * 1024 };

static int session_index = -1;

static int keep_session(SSL *client, SSL_SESSION *session)
{
    SSL_SESSION_free(SSL_get_ex_data(client, session_index));
    return SSL_set_ex_data(client, session_index, session);
}

static SSL_CTX *new_client_context(const client_plan *plan)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_security_level(context, 0); /* what is weak the server has to refuse */
    SSL_CTX_set_min_proto_version(context, plan->lowest);
    SSL_CTX_set_max_proto_version(context, plan->highest);
    if (plan->suites != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(context, plan->suites), 1);
    if (plan->suites_1_3 != NULL)
        assert_int_equal(SSL_CTX_set_ciphersuites(context, plan->suites_1_3), 1);
    if (plan->signatures != NULL)
        assert_int_equal(SSL_CTX_set1_sigalgs_list(context, plan->signatures), 1);
    if (plan->groups != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(context, plan->groups), 1);
    if (plan->protocols != NULL)
        assert_int_equal(
            SSL_CTX_set_alpn_protos(context, (const unsigned char *)plan->protocols, (unsigned)strlen(plan->protocols)),
            0);
    if (plan->identity != NULL)
        assert_int_equal(SSL_CTX_use_cert_and_key(context, plan->identity->certificate, plan->identity->key, NULL, 1),
                         1);
    if (plan->trusted != NULL) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), plan->trusted->certificate);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return context;
}

static SSL *new_client(SSL_CTX *context, const client_plan *plan)
{
    SSL *client = SSL_new(context);
    assert_non_null(client);
    if (plan->name != NULL)
        assert_int_equal(SSL_set_tlsext_host_name(client, plan->name), 1);
    if (plan->session != NULL)
        assert_int_equal(SSL_set_session(client, plan->session), 1);
    if (plan->asks_for_status)
        SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
    SSL_set_connect_state(client);
    return client;
}

/* Whether it may go on. */
static bool shakes_on(SSL *ssl, bool *is_done)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    *is_done = result == 1;
    int error = SSL_get_error(ssl, result);
    return result == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void note_alert(const SSL *ssl, int where, int alert)
{
    handshake *handshake = SSL_get_app_data(ssl);
    if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT)
        handshake->alert = alert & 0xff;
}

void handshake_run(handshake *handshake)
{
    SSL_set_app_data(handshake->server, handshake);
    SSL_set_info_callback(handshake->server, note_alert);
    for (unsigned step = 0; step < MOST_STEPS; step++) {
        bool client_is_done = false;
        bool server_is_done = false;
        bool goes_on = shakes_on(handshake->client, &client_is_done);
        goes_on = shakes_on(handshake->server, &server_is_done) && goes_on;
        if (!goes_on || (client_is_done && server_is_done)) {
            handshake->has_succeeded = goes_on;
            break;
        }
    }
    char byte;
    if (handshake->has_succeeded)
        SSL_read(handshake->client, &byte, 1); /* the tickets of TLS 1.3 */
    SSL_set_info_callback(handshake->server, NULL);
    SSL_set_app_data(handshake->server, NULL);
    if (handshake->has_succeeded)
        handshake->facts = jz_tls_facts_of(handshake->server);
    ERR_clear_error();
}

handshake handshake_prepare(jz_tls_generation *generation, const client_plan *plan)
{
    if (session_index < 0)
        session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    handshake handshake = {.context = new_client_context(plan), .alert = -1};
    handshake.client = new_client(handshake.context, plan);
    handshake.server = jz_tls_generation_new_ssl(generation);
    assert_non_null(handshake.server);
    BIO *clients;
    BIO *servers;
    assert_int_equal(BIO_new_bio_pair(&clients, BIO_SIZE, &servers, BIO_SIZE), 1);
    SSL_set_bio(handshake.client, clients, clients);
    SSL_set_bio(handshake.server, servers, servers);
    return handshake;
}

handshake handshake_with_generation(jz_tls_generation *generation, const client_plan *plan)
{
    handshake handshake = handshake_prepare(generation, plan);
    handshake_run(&handshake);
    return handshake;
}

handshake handshake_with(jz_tls *tls, const client_plan *plan)
{
    jz_tls_generation *generation = jz_tls_borrow_generation(tls);
    handshake handshake = handshake_with_generation(generation, plan);
    jz_tls_release_generation(generation);
    return handshake;
}

void handshake_end(handshake *handshake)
{
    jz_tls_facts_free(handshake->facts);
    SSL_SESSION_free(SSL_get_ex_data(handshake->client, session_index));
    SSL_set_shutdown(handshake->client, SSL_SENT_SHUTDOWN); /* the session stays valid */
    SSL_free(handshake->client);
    SSL_free(handshake->server);
    SSL_CTX_free(handshake->context);
    *handshake = (struct handshake){0};
}

SSL_SESSION *handshake_session(const handshake *handshake)
{
    /* A new ticket of a resumed session is not told by the callback in TLS 1.2, in which a handshake has it at its end.
     */
    if (SSL_version(handshake->client) == TLS1_2_VERSION)
        return SSL_get1_session(handshake->client);
    SSL_SESSION *session = SSL_get_ex_data(handshake->client, session_index);
    if (session != NULL)
        SSL_SESSION_up_ref(session);
    return session;
}

X509 *handshake_certificate(const handshake *handshake)
{
    return SSL_get0_peer_certificate(handshake->client);
}

const char *handshake_property(const handshake *handshake, const char *name)
{
    const char *found;
    const char *value;
    size_t length;
    for (size_t i = 0; handshake->facts != NULL && jz_tls_property(handshake->facts, i, &found, &value, &length); i++) {
        if (strcmp(found, name) == 0)
            return value;
    }
    return NULL;
}
