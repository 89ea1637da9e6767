#include "codec/base64.h"

const char jz_base64_digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void jz_base64_encode(const uint8_t *bytes, size_t length, char *text)
{
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned second = left > 1 ? bytes[i + 1] : 0;
        unsigned third = left > 2 ? bytes[i + 2] : 0;
        unsigned group = (unsigned)bytes[i] << 16 | second << 8 | third;
        *text++ = jz_base64_digits[group >> 18];
        *text++ = jz_base64_digits[group >> 12 & 63];
        *text++ = left > 1 ? jz_base64_digits[group >> 6 & 63] : '=';
        *text++ = left > 2 ? jz_base64_digits[group & 63] : '=';
    }
}
