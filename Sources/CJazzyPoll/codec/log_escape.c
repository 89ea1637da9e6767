/* Escapes text from untrusted sources, so that it can be shown in a log line. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "jazzy/log.h"
#include "codec/utf8.h"

enum { LONGEST_PIECE = 16 };

static const char ellipsis[] = "\xE2\x80\xA6";

/* Characters that would end the line, move the cursor, change colours or text direction, or be invisible. */
static const struct {
    uint32_t first;
    uint32_t last;
} unfit[] = {
    {0x0000, 0x001F},   /* C0 */
    {0x007F, 0x009F},   /* DEL, C1 */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x061C, 0x061C},   /* a direction mark, like 200E and 200F */
    {0x200B, 0x200B},   /* zero-width space */
    {0x200E, 0x200F},   /* */
    {0x2028, 0x202E},   /* line and paragraph separators; direction embeddings and overrides */
    {0x2060, 0x206F},   /* direction isolates, and other invisible characters */
    {0xFEFF, 0xFEFF},   /* the byte order mark */
    {0xFFF9, 0xFFFB},   /* annotations */
    {0xE0000, 0xE0FFF}, /* tags */
};

static bool is_unfit(uint32_t character)
{
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        if (character >= unfit[i].first && character <= unfit[i].last)
            return true;
    }
    return false;
}

/* Decodes the first character of a non-empty text. Returns its length in bytes; 0 if the text begins with none. */
static size_t take_character(const uint8_t *bytes, size_t length, uint32_t *character)
{
    static const uint8_t bits_of_first[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    jz_utf8 state = {0};
    for (size_t count = 1; count <= length; count++) {
        if (!jz_utf8_feed(&state, bytes + count - 1, 1))
            return 0;
        if (!jz_utf8_is_complete(&state))
            continue;
        *character = bytes[0] & bits_of_first[count];
        for (size_t i = 1; i < count; i++)
            *character = *character << 6 | (bytes[i] & 0x3F);
        return count;
    }
    return 0;
}

/* The letter of a short escape such as \n; 0 if there is none. */
static char letter_of(uint32_t character)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

/* Writes the first character, escaped where needed. Returns how many bytes of the text it was. */
static size_t write_piece(const uint8_t *bytes, size_t length, char piece[LONGEST_PIECE])
{
    uint32_t character = 0;
    size_t count = take_character(bytes, length, &character);
    memset(piece, 0, LONGEST_PIECE);
    if (count == 0)
        snprintf(piece, LONGEST_PIECE, "\\x%02X", (unsigned)bytes[0]);
    else if (letter_of(character) != 0)
        snprintf(piece, LONGEST_PIECE, "\\%c", letter_of(character));
    else if (is_unfit(character))
        snprintf(piece, LONGEST_PIECE, "\\u{%X}", (unsigned)character);
    else
        memcpy(piece, bytes, count);
    return count > 0 ? count : 1;
}

/* How many of the first characters are ASCII, and written as they are: of most texts all. */
static size_t count_plain(const uint8_t *bytes, size_t length)
{
    size_t count = 0;
    while (count < length && bytes[count] >= ' ' && bytes[count] <= '~' && bytes[count] != '\\')
        count++;
    return count;
}

size_t jz_log_escape(const char *text, size_t length, char *line, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    const size_t ellipsis_length = sizeof ellipsis - 1;
    if (size == 0)
        return 0;
    size_t written = count_plain(bytes, length < size - 1 ? length : size - 1);
    /* Where an ellipsis would be put. */
    size_t last_cut = size > ellipsis_length ? size - ellipsis_length - 1 : 0;
    size_t cut = written < last_cut ? written : last_cut;
    if (written > 0)
        memcpy(line, bytes, written);
    for (size_t i = written; i < length;) {
        char piece[LONGEST_PIECE];
        i += write_piece(bytes + i, length - i, piece);
        size_t piece_length = strlen(piece);
        if (piece_length >= size - written) {
            written = cut;
            if (ellipsis_length < size - written) {
                memcpy(line + written, ellipsis, ellipsis_length);
                written += ellipsis_length;
            }
            break;
        }
        memcpy(line + written, piece, piece_length);
        written += piece_length;
        if (ellipsis_length < size - written)
            cut = written;
    }
    line[written] = '\0';
    return written;
}
