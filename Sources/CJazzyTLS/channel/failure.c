#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel/channel.h"

enum { TEXT_SIZE = 160 };

/* Reasons for which there is a clearer text than OpenSSL's. */
static const struct {
    int reason;
    const char *text;
} texts[] = {
    {SSL_R_NO_SHARED_CIPHER, "no shared cipher: it offers no suite that is spoken here"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "unsupported protocol: it speaks no version of TLS that is spoken here"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "no application protocol: its ALPN offers no HTTP/1.1"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "certificate required, and it has none"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "no suitable key share: it offers no group that is spoken here"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "no suitable signature algorithm: it can verify none of the certificates"},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, "no shared signature algorithms: it can verify none of the certificates"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "a record could not be decrypted"},
    {SSL_R_RECORD_TOO_SMALL, "too many empty records"},
};

static const char *text_of(int reason)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].reason == reason)
            return texts[i].text;
    }
    return NULL;
}

static void describe(const jz_tls_channel *channel, unsigned long error, char text[TEXT_SIZE])
{
    int reason = ERR_GET_REASON(error);
    const char *clear = ERR_GET_LIB(error) == ERR_LIB_SSL ? text_of(reason) : NULL;
    const char *known = ERR_reason_error_string(error);
    if (reason == ERR_R_MALLOC_FAILURE)
        snprintf(text, TEXT_SIZE, "there is no memory for it");
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        snprintf(text, TEXT_SIZE, "it ended with an alert: %s",
                 SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        snprintf(text, TEXT_SIZE, "its certificate is not accepted: %s",
                 X509_verify_cert_error_string(SSL_get_verify_result(channel->ssl)));
    else
        snprintf(text, TEXT_SIZE, "%s",
                 clear != NULL   ? clear
                 : known != NULL ? known
                                 : "OpenSSL could not go on, and does not say why");
}

void jz_tls_blame(jz_tls_channel *channel, const char *why)
{
    size_t size = strlen(why) + 1;
    if (channel->why != NULL)
        return;
    channel->why = malloc(size);
    if (channel->why != NULL)
        memcpy(channel->why, why, size);
}

void jz_tls_note_failure(jz_tls_channel *channel)
{
    char text[TEXT_SIZE];
    /* The last one is what OpenSSL's TLS makes of those before it. */
    describe(channel, ERR_peek_last_error(), text);
    ERR_clear_error();
    jz_tls_blame(channel, text);
}
