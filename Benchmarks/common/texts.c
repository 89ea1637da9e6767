#include "texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/mask.h"
#include "codec/utf8.h"
#include "client_frame.h"

const char *const text_names[TEXT_KINDS] = {"ASCII", "Russian", "Chinese", "emoji", "mixed"};

/* Punctuation is ASCII throughout: characters below U+0100, or with EF as their first byte, do not survive the key. */
static const char *const sentences[TEXT_KINDS] = {
    [TEXT_ASCII] = "All happy families are alike; each unhappy family is unhappy in its own way. ",
    [TEXT_RUSSIAN] = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. ",
    [TEXT_CHINESE] = "幸福的家庭都是相似的,不幸的家庭各有各的不幸.奥布隆斯基家里一切都混乱了.",
    [TEXT_EMOJI] = "🎷🎺🎸🥁🎹🎻🪕🎤🎧🎼🕺💃",
    [TEXT_MIXED] = "{\"from\":\"Анна\",\"text\":\"See you at 8, 明天见! Возьми билеты 🎷🎺\",\"room\":\"jazz\"} ",
};

/* How many bytes the character takes that begins with this one. */
static size_t character_length(char first)
{
    unsigned char byte = (unsigned char)first;
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

static void check(const uint8_t *text, size_t length, text_kind kind)
{
    uint8_t *toggled = malloc(length);
    if (toggled == NULL)
        abort();
    jz_mask(toggled, text, length, toggling_key, 0);
    if (!jz_utf8_is_valid(text, length) || !jz_utf8_is_valid(toggled, length)) {
        fprintf(stderr, "the text \"%s\" is not UTF-8 both with and without the toggling key: see texts.c\n",
                text_names[kind]);
        exit(2);
    }
    free(toggled);
}

void fill_text(uint8_t *text, size_t length, text_kind kind)
{
    const char *next = sentences[kind];
    size_t filled = 0;
    while (filled + character_length(*next) <= length) {
        size_t count = character_length(*next);
        memcpy(text + filled, next, count);
        filled += count;
        next += count;
        if (*next == '\0')
            next = sentences[kind];
    }
    memset(text + filled, '.', length - filled);
    check(text, length, kind);
}

void fill_json(uint8_t *text, size_t length, unsigned variant)
{
    size_t filled = 1;
    memset(text, ' ', length);
    text[0] = '[';
    text[length - 1] = ']';
    for (unsigned i = 0;; i++) {
        char trade[128];
        unsigned number = i * 7919 + variant * 104729;
        int size = snprintf(trade, sizeof trade, "%s{\"symbol\":\"JZ%c\",\"price\":%u.%02u,\"amount\":%u,\"buy\":%s}",
                            i > 0 ? "," : "", (char)('A' + number % 26), 100 + number % 13, number % 97, number % 1000,
                            number % 3 == 0 ? "true" : "false");
        if (filled + (size_t)size + 1 > length)
            return;
        memcpy(text + filled, trade, (size_t)size);
        filled += (size_t)size;
    }
}

const char handshake_request[] =
    "GET /chat?room=jazz HTTP/1.1\r\n"
    "Host: chat.example.com:8080\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
    "Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://chat.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";
