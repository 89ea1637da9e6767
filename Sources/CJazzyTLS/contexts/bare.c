#include "contexts/bare.h"

#include <string.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

/* The shortest key, of Ed25519, has 64 characters; what is much shorter is no key that is left whole. */
enum { SHORTEST = 40, SEQUENCE = 0x30, SHORTEST_OF_A_KEY = 0x20, LONG_FORM = 0x80, MOST_LENGTH_BYTES = 3 };

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_base64(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '+' || byte == '/' || byte == '=';
}

/* Whether a header of DER announces a structure of at least so many bytes: the text may be cut. */
static bool announces(const uint8_t header[6], size_t decoded)
{
    size_t length = header[1];
    size_t count = length & 0x7f;
    if (header[0] != SEQUENCE || length < SHORTEST_OF_A_KEY)
        return false;
    if (length >= LONG_FORM) {
        if (count == 0 || count > MOST_LENGTH_BYTES)
            return false;
        length = 0;
        for (size_t i = 0; i < count; i++)
            length = length << 8 | header[2 + i];
        length += count;
    }
    return length + 2 >= decoded;
}

bool jz_tls_is_bare(const uint8_t *bytes, size_t length)
{
    uint8_t first[9];
    uint8_t header[6];
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_space(bytes[i]))
            continue;
        if (!is_base64(bytes[i]))
            return false;
        if (count < 8)
            first[count] = bytes[i];
        count += bytes[i] != '=';
    }
    if (count < SHORTEST || memchr(first, '=', 8) != NULL || EVP_DecodeBlock(header, first, 8) != 6)
        return false;
    return announces(header, count / 4 * 3);
}

bool jz_tls_is_content(const char *path)
{
    return path != NULL && (strstr(path, "-----BEGIN") != NULL || jz_tls_is_bare((const uint8_t *)path, strlen(path)));
}
