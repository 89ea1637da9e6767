#include "contexts/secrets.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Where an SSL keeps its secrets; -1: nothing is prepared yet. */
static atomic_int secrets_index = -1;

static void free_secrets(void *ssl, void *secrets, CRYPTO_EX_DATA *data, int index, long number, void *context)
{
    (void)ssl;
    (void)data;
    (void)index;
    (void)number;
    (void)context;
    if (secrets == NULL)
        return;
    OPENSSL_cleanse(secrets, sizeof(jz_tls_secrets));
    free(secrets);
}

bool jz_tls_secrets_prepare(void)
{
    if (secrets_index >= 0)
        return true;
    int none = -1;
    int index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_secrets);
    /* Another thread may have been first: then its index counts, and this one is not used. */
    return index >= 0 && (atomic_compare_exchange_strong(&secrets_index, &none, index) || none >= 0);
}

static int digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Returns the secret's length; 0: it is none. */
static uint8_t read_secret(const char *digits, uint8_t secret[JZ_TLS_MOST_SECRET])
{
    uint8_t length = 0;
    for (; digits[0] != '\0' && length < JZ_TLS_MOST_SECRET; digits += 2) {
        int high = digit_of(digits[0]);
        int low = high >= 0 ? digit_of(digits[1]) : -1;
        if (low < 0)
            return 0;
        secret[length++] = (uint8_t)(high << 4 | low);
    }
    return digits[0] == '\0' ? length : 0;
}

static jz_tls_secrets *make_secrets(const SSL *ssl)
{
    jz_tls_secrets *secrets = SSL_get_ex_data(ssl, secrets_index);
    if (secrets != NULL)
        return secrets;
    secrets = calloc(1, sizeof *secrets);
    /* OpenSSL says const, and lets its user keep things with the SSL all the same. */
    if (secrets != NULL && SSL_set_ex_data((SSL *)(uintptr_t)ssl, secrets_index, secrets) == 1)
        return secrets;
    free(secrets);
    return NULL;
}

/* "LABEL CLIENT_RANDOM SECRET", in hexadecimal. Where there is no memory, the secret is missing afterwards. */
static void note_line(const SSL *ssl, const char *line)
{
    static const char client[] = "CLIENT_TRAFFIC_SECRET_0 ";
    static const char server[] = "SERVER_TRAFFIC_SECRET_0 ";
    bool is_client = strncmp(line, client, sizeof client - 1) == 0;
    const char *last = strrchr(line, ' ');
    if (last == NULL || (!is_client && strncmp(line, server, sizeof server - 1) != 0))
        return;
    jz_tls_secrets *secrets = make_secrets(ssl);
    if (secrets == NULL)
        return;
    if (is_client)
        secrets->client_length = read_secret(last + 1, secrets->of_client);
    else
        secrets->server_length = read_secret(last + 1, secrets->of_server);
}

void jz_tls_secrets_follow(SSL_CTX *context)
{
    SSL_CTX_set_keylog_callback(context, note_line);
}

const jz_tls_secrets *jz_tls_secrets_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, secrets_index);
}
