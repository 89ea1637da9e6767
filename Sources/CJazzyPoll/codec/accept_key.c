#include "codec/accept_key.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/sha1.h"

enum { LAST_DIGIT = 21 };

static bool is_digit(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
           (character >= '0' && character <= '9') || character == '+' || character == '/';
}

bool jz_client_key_is_valid(const char *key, size_t length)
{
    if (length != JZ_CLIENT_KEY_LENGTH || key[LAST_DIGIT + 1] != '=' || key[LAST_DIGIT + 2] != '=')
        return false;
    for (size_t i = 0; i < LAST_DIGIT; i++) {
        if (!is_digit(key[i]))
            return false;
    }
    /* It has two bits of the sixteenth byte; its other four bits must be zero (RFC 4648 §3.5). */
    return key[LAST_DIGIT] == 'A' || key[LAST_DIGIT] == 'Q' || key[LAST_DIGIT] == 'g' || key[LAST_DIGIT] == 'w';
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
