#include "codec/accept_key.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/sha1.h"

enum { BASE64_DIGITS = 64 };

bool jz_client_key_is_valid(const char *key, size_t length)
{
    if (length != JZ_CLIENT_KEY_LENGTH || key[22] != '=' || key[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        const char *digit = memchr(jz_base64_digits, key[i], BASE64_DIGITS);
        if (digit == NULL)
            return false;
        /* The last digit has two bits of the sixteenth byte; its other four bits must be zero (RFC 4648 §3.5). */
        if (i == 21 && ((digit - jz_base64_digits) & 0x0F) != 0)
            return false;
    }
    return true;
}

void jz_accept_key(const char key[JZ_CLIENT_KEY_LENGTH], char accept[JZ_ACCEPT_KEY_LENGTH])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t input[JZ_CLIENT_KEY_LENGTH + sizeof guid - 1];
    memcpy(input, key, JZ_CLIENT_KEY_LENGTH);
    memcpy(input + JZ_CLIENT_KEY_LENGTH, guid, sizeof guid - 1);

    uint8_t digest[JZ_SHA1_LENGTH];
    jz_sha1(input, sizeof input, digest);
    jz_base64_encode(digest, sizeof digest, accept);
}
