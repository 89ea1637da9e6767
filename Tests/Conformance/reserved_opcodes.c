/* Opcodes 3-7 and 11-15 (RFC 6455 §5.2): refused wherever they stand, and nothing behind them is handled. */
#include "topics.h"

static test_frame frame_of(uint8_t opcode, bool fin, test_bytes payload)
{
    return (test_frame){.fin = fin, .opcode = opcode, .payload = payload};
}

static void add_rows(topic *topic, uint8_t opcode)
{
    static const test_bytes none = BYTES("");
    static const test_bytes some = BYTES("reserved");
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u without payload", opcode),
                                   .steps = STEPS(PEER(frame_of(opcode, true, none))),
                                   .fails_with_last_byte = true,
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u with payload", opcode),
                                   .steps = STEPS(PEER(frame_of(opcode, true, some))),
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u, its header alone", opcode),
                                   .steps = STEPS(PEER(CLAIM_OF(opcode, 70000, SHORTEST_LENGTH))),
                                   .fails_with_last_byte = true,
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u without FIN", opcode),
                                   .steps = STEPS(PEER(frame_of(opcode, false, some)), PEER(LAST("more"))),
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u between messages", opcode),
                                   .steps = STEPS(PEER(TEXT("before")), PEER(frame_of(opcode, true, some)),
                                                  PEER(PING("after")), PEER(TEXT("after"))),
                                   .events = EVENTS(GOT_TEXT("before")),
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u between fragments", opcode),
                                   .steps = STEPS(PEER(BINARY_START("a")), PEER(frame_of(opcode, true, none)),
                                                  PEER(LAST("b")), PEER(PING("after"))),
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
    topic_add(topic, (session_row){.name = topic_text(topic, "opcode %u before a close", opcode),
                                   .steps = STEPS(PEER(frame_of(opcode, true, none)), PEER(CLOSE(1000, ""))),
                                   FAILS_WITH(JZ_FAILURE_RESERVED_OPCODE)});
}

void add_reserved_opcode_rows(topic *topic)
{
    for (uint8_t opcode = 3; opcode <= 7; opcode++) {
        add_rows(topic, opcode);
        add_rows(topic, opcode + 8);
    }
}
