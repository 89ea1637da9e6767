/* The texts of the measured messages. */
#ifndef BENCHMARKS_TEXTS_H
#define BENCHMARKS_TEXTS_H

#include <stddef.h>
#include <stdint.h>

typedef enum text_kind { TEXT_ASCII, TEXT_RUSSIAN, TEXT_CHINESE, TEXT_EMOJI, TEXT_MIXED, TEXT_KINDS } text_kind;

extern const char *const text_names[TEXT_KINDS];

/*
 * Fills `length` bytes with whole characters. It is UTF-8, and stays UTF-8 when masked with `toggling_key` from its
 * first byte on; ends the program where that is not so.
 */
void fill_text(uint8_t *text, size_t length, text_kind kind);

/* Fills `length` bytes, at least 2, with a JSON array of trades, which differ between variants. */
void fill_json(uint8_t *text, size_t length, unsigned variant);

/* A browser's handshake, with an offer to compress. */
extern const char handshake_request[];

#endif
