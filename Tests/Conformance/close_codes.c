/* Close codes on the wire (RFC 6455 §7.4): every class from 0 to 65,535, without a reason and with one. */
#include "topics.h"

typedef struct code_class {
    uint16_t codes[5]; /* its ends, and some between; 0 ends the list but for the first */
    bool may_be_sent;
} code_class;

static const code_class classes[] = {
    {{0, 1, 500, 998, 999}, false},            /* §7.4.2: not used */
    {{1000, 1001, 1002, 1003}, true},          /* §7.4.1 */
    {{1004, 1005, 1006}, false},               /* §7.4.1: reserved, and those only reported */
    {{1007, 1008, 1009, 1010, 1011}, true},    /* §7.4.1 */
    {{1012, 1013, 1014}, true},                /* registered with IANA since (§11.7) */
    {{1015}, false},                           /* §7.4.1: only reported */
    {{1016, 1017, 1100, 1500, 1999}, false},   /* §7.4.2: for future revisions of the protocol */
    {{2000, 2001, 2500, 2998, 2999}, false},   /* §7.4.2: for extensions of the protocol */
    {{3000, 3001, 3500, 3998, 3999}, true},    /* §7.4.2: for libraries and frameworks */
    {{4000, 4001, 4500, 4998, 4999}, true},    /* §7.4.2: for private use */
    {{5000, 5001, 10000, 32768, 65535}, false} /* no range of §7.4.2 */
};

static void add_code(topic *topic, uint16_t code, bool may_be_sent, const char *what, test_bytes reason)
{
    jz_buffer payload = {0};
    const uint8_t code_bytes[] = {(uint8_t)(code >> 8), (uint8_t)code};
    assert_true(jz_buffer_append(&payload, code_bytes, 2));
    test_bytes_append(&payload, reason);
    test_bytes bytes = topic_bytes(topic, payload.bytes, payload.length);
    jz_buffer_free(&payload);
    const session_event closed = {.type = JZ_EVENT_CLOSE, .close_code = code, .was_clean = true, .bytes = reason};
    session_row row = {.name = topic_text(topic, "code %u %s", code, what),
                       .steps =
                           STEPS(PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = bytes}), PEER(PING("after"))),
                       .events = {&closed, may_be_sent ? 1 : 0}};
    if (!may_be_sent) {
        row.failure = JZ_FAILURE_INVALID_CLOSE_CODE;
        row.failure_code = 1002;
    }
    topic_add(topic, row);
}

void add_close_code_rows(topic *topic)
{
    static const test_bytes none = BYTES("");
    static const test_bytes some = BYTES("Adi\xC3\xB3s");
    static const test_bytes longest = REPEATED("reason ", 123);
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        const code_class *class = &classes[i];
        for (size_t k = 0; k < COUNT_OF(class->codes) && (k == 0 || class->codes[k] != 0); k++) {
            add_code(topic, class->codes[k], class->may_be_sent, "without a reason", none);
            add_code(topic, class->codes[k], class->may_be_sent, "with a reason", some);
            add_code(topic, class->codes[k], class->may_be_sent, "with the longest reason", longest);
        }
    }
}
