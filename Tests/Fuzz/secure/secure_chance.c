/* OpenSSL's memory and chance. Deprecated functions are the only ones that replace the latter as a whole. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "../../CJazzyTLSTests/support/authority.h"
#include "../server/kernel_state.h"
#include "secure_line.h"

static uint64_t chance;

/* Larger amounts are taken for handshakes, which take their time: so others have to wait for their turn. */
static int give_bytes(unsigned char *bytes, int length)
{
    enum { OF_HANDSHAKES = 32 };
    for (int i = 0; i < length; i++) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (unsigned char)(chance >> 56);
    }
    if (kernel.is_in_server && length >= OF_HANDSHAKES)
        kernel_advance(1);
    return 1;
}

static int be_ready(void)
{
    return 1;
}

/* Those that the linker leads to the simulated kernel, which lets some fail. */
static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *resize(void *bytes, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size > 0)
        return realloc(bytes, size);
    free(bytes);
    return NULL;
}

static void release(void *bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    free(bytes);
}

static void say_nothing(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

jz_tls *secure_begin(void)
{
    static const RAND_METHOD method = {.bytes = give_bytes, .pseudorand = give_bytes, .status = be_ready};
    jz_error error = {0};
    require(CRYPTO_set_mem_functions(allocate, resize, release) == 1, "OpenSSL takes its memory from here");
    RAND_set_rand_method(&method);
    made own = authority_make(&(plan){.common_name = "localhost", .names = "DNS:localhost"});
    const char *chain = pem_of_certificates(&own, NULL, NULL);
    const char *key = pem_of_key(&own, NULL);
    const jz_tls_certificate certificate = {
        .certificate = chain, .certificate_length = strlen(chain), .key = key, .key_length = strlen(key)};
    jz_tls_options options = jz_tls_options_default();
    options.certificates = &certificate;
    options.certificate_count = 1;
    options.log = say_nothing;
    jz_tls *tls = jz_tls_create(&options, &error);
    require(tls != NULL, "the certificate is in order");
    return tls;
}

void secure_begin_anew(void)
{
    chance = 1;
}
