/*
 * Records of TLS 1.3 (TLS_AES_128_GCM_SHA256) as no library would send them: of every type and length, with padding,
 * with keys that are exchanged as often as one likes. A client may send no record of its own after the handshake.
 */
#ifndef JAZZY_TLS_TESTS_FORGER_H
#define JAZZY_TLS_TESTS_FORGER_H

#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
    FORGED_OVERHEAD = 5 + 1 + 16 /* header, inner type, tag */
};

typedef struct forger {
    uint8_t secret[32];
    uint8_t key[16];
    uint8_t initial[12];
    uint64_t sequence;
} forger;

/* From the client's traffic secret. */
void forger_begin(forger *forger, const uint8_t secret[32]);

/* Writes a record, with that many zeros behind its data, and returns its length. */
size_t forger_seal(forger *forger, uint8_t type, const void *data, size_t length, size_t padding, uint8_t *record);

/* A key update that asks for one in return, or does not; what is sealed next has the new key. */
size_t forger_update_key(forger *forger, int asks, uint8_t *record);

/* What is sealed next has the new key. */
void forger_renew_key(forger *forger);

#endif
