#include "contexts/secrets.h"

#include <string.h>

static _Thread_local jz_tls_secrets *collected;

void jz_tls_secrets_collect(jz_tls_secrets *secrets)
{
    collected = secrets;
}

jz_tls_secrets *jz_tls_secrets_collected(void)
{
    return collected;
}

void jz_tls_secrets_note(jz_tls_secret *noted, const uint8_t *secret, size_t length)
{
    if (length > sizeof noted->secret)
        return;
    memcpy(noted->secret, secret, length);
    noted->length = (uint8_t)length;
}

static int digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static void note_digits(jz_tls_secret *noted, const char *digits)
{
    uint8_t secret[JZ_TLS_MOST_SECRET];
    size_t length = 0;
    for (; digits[0] != '\0' && length < sizeof secret; digits += 2) {
        int high = digit_of(digits[0]);
        int low = high >= 0 ? digit_of(digits[1]) : -1;
        if (low < 0)
            break;
        secret[length++] = (uint8_t)(high << 4 | low);
    }
    if (digits[0] == '\0')
        jz_tls_secrets_note(noted, secret, length);
    OPENSSL_cleanse(secret, sizeof secret);
}

/* "LABEL CLIENT_RANDOM SECRET", in hexadecimal. */
void jz_tls_secrets_read_line(jz_tls_secrets *secrets, const char *line)
{
    static const char of_client[] = "CLIENT_TRAFFIC_SECRET_0 ";
    static const char of_server[] = "SERVER_TRAFFIC_SECRET_0 ";
    const char *last = strrchr(line, ' ');
    if (last == NULL)
        return;
    if (strncmp(line, of_client, sizeof of_client - 1) == 0)
        note_digits(&secrets->of_client, last + 1);
    else if (strncmp(line, of_server, sizeof of_server - 1) == 0)
        note_digits(&secrets->of_server, last + 1);
}

static void note_line(const SSL *ssl, const char *line)
{
    (void)ssl;
    if (collected != NULL)
        jz_tls_secrets_read_line(collected, line);
}

void jz_tls_secrets_follow_lines(SSL_CTX *context)
{
    SSL_CTX_set_keylog_callback(context, note_line);
}
