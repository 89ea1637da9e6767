#include "contexts/choice.h"

#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "contexts/noting.h"
#include "contexts/trial.h"

static const char the_default[] = "default";

/* Never freed, once it is whole: loops may run when a program ends. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static jz_tls_library own;

/* --- What the application has chosen ----------------------------------------------------------------------------- */

/* Those that come with OpenSSL, and are no other choice. */
static int note_stranger(OSSL_PROVIDER *provider, void *has_strangers)
{
    static const char *const known[] = {the_default, "legacy", "base", "null"};
    const char *name = OSSL_PROVIDER_get0_name(provider);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0)
            return 1;
    }
    *(bool *)has_strangers = true;
    return 1;
}

static bool is_default(const OSSL_PROVIDER *provider)
{
    return provider != NULL && strcmp(OSSL_PROVIDER_get0_name(provider), the_default) == 0;
}

/* Whether those who ask there for what a handshake needs get the default provider's: one of each kind. */
static bool finds_default(OSSL_LIB_CTX *context)
{
    EVP_KDF *kdf = EVP_KDF_fetch(context, "TLS13-KDF", NULL);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(context, "AES-128-GCM", NULL);
    EVP_MD *digest = EVP_MD_fetch(context, "SHA256", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(context, "HMAC", NULL);
    EVP_RAND *random = EVP_RAND_fetch(context, "CTR-DRBG", NULL);
    EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(context, "EC", NULL);
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(context, "ECDH", NULL);
    EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(context, "ECDSA", NULL);
    bool are_default =
        kdf != NULL && is_default(EVP_KDF_get0_provider(kdf)) && cipher != NULL &&
        is_default(EVP_CIPHER_get0_provider(cipher)) && digest != NULL && is_default(EVP_MD_get0_provider(digest)) &&
        mac != NULL && is_default(EVP_MAC_get0_provider(mac)) && random != NULL &&
        is_default(EVP_RAND_get0_provider(random)) && keys != NULL && is_default(EVP_KEYMGMT_get0_provider(keys)) &&
        exchange != NULL && is_default(EVP_KEYEXCH_get0_provider(exchange)) && signature != NULL &&
        is_default(EVP_SIGNATURE_get0_provider(signature));
    EVP_KDF_free(kdf);
    EVP_CIPHER_free(cipher);
    EVP_MD_free(digest);
    EVP_MAC_free(mac);
    EVP_RAND_free(random);
    EVP_KEYMGMT_free(keys);
    EVP_KEYEXCH_free(exchange);
    EVP_SIGNATURE_free(signature);
    return are_default;
}

/* Whether a context of the application's is as OpenSSL has made it. */
static bool is_plain(OSSL_LIB_CTX *context)
{
    bool has_strangers = false;
    OSSL_PROVIDER_do_all(context, note_stranger, &has_strangers);
    return !has_strangers && EVP_default_properties_is_fips_enabled(context) != 1 && finds_default(context);
}

/* --- Our own ------------------------------------------------------------------------------------------------------ */

/* Nothing is left of it if that fails. */
static bool make_own(void)
{
    jz_tls_noting noting = {0};
    jz_tls_library made = {.context = OSSL_LIB_CTX_new()};
    bool is_made = made.context != NULL && jz_tls_noting_begin(&noting, made.context) && jz_tls_library_look_up(&made);
    made.notes_keys = true;
    if (is_made && jz_tls_trial_succeeds(&made)) {
        own = made;
        return true;
    }
    jz_tls_library_forget(&made);
    jz_tls_noting_end(&noting);
    OSSL_LIB_CTX_free(made.context);
    return false;
}

static bool has_own(void)
{
    pthread_mutex_lock(&lock);
    bool is_made = own.context != NULL || make_own();
    pthread_mutex_unlock(&lock);
    ERR_clear_error();
    return is_made;
}

const jz_tls_library *jz_tls_choose_library(jz_tls_library *of_application)
{
    OSSL_LIB_CTX *present = OSSL_LIB_CTX_set0_default(NULL); /* which changes nothing */
    *of_application = (jz_tls_library){.context = present};
    if (is_plain(present) && has_own())
        return &own;
    return jz_tls_library_look_up(of_application) ? of_application : NULL;
}
