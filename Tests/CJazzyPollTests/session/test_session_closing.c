/* How sessions end: by the close handshake, begun by either side, or without it; and what can be sent when. */
#include "support/session_row.h"
#include "support/testing.h"

#define PEER_CLOSES(code)                                                                                              \
    {                                                                                                                  \
        "code " #code, .steps = STEPS(PEER(CLOSE(code, "bye"))), .events = EVENTS(CLOSED_CLEANLY(code, "bye")),        \
                       .output = FRAMES(CLOSE(code, ""))                                                               \
    }

static const session_row closed_by_the_peer[] = {
    PEER_CLOSES(1000),
    PEER_CLOSES(1001),
    PEER_CLOSES(1002),
    PEER_CLOSES(1003),
    PEER_CLOSES(1007),
    PEER_CLOSES(1008),
    PEER_CLOSES(1009),
    PEER_CLOSES(1010),
    PEER_CLOSES(1011),
    PEER_CLOSES(1012),
    PEER_CLOSES(1013),
    PEER_CLOSES(1014),
    PEER_CLOSES(3000),
    PEER_CLOSES(3999),
    PEER_CLOSES(4000),
    PEER_CLOSES(4999),
    {"no code is reported as 1005 and answered without one", .steps = STEPS(PEER(CLOSE_WITHOUT_CODE)),
     .events = EVENTS(CLOSED_CLEANLY(1005, "")), .output = FRAMES(CLOSE_WITHOUT_CODE)},
    {"a code without a reason", .steps = STEPS(PEER(CLOSE(1000, ""))), .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1000, ""))},
    {"the longest reason", .steps = STEPS(PEER(CLOSE_OF(1000, REPEATED("reason ", 123)))),
     .events =
         EVENTS({.type = JZ_EVENT_CLOSE, .close_code = 1000, .was_clean = true, .bytes = REPEATED("reason ", 123)}),
     .output = FRAMES(CLOSE(1000, ""))},
    {"a reason beyond ASCII", .steps = STEPS(PEER(CLOSE(1000, "Adi\xC3\xB3s \xF0\x9F\x91\x8B"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "Adi\xC3\xB3s \xF0\x9F\x91\x8B")), .output = FRAMES(CLOSE(1000, ""))},
    {"after messages", .steps = STEPS(PEER(TEXT("one")), PEER(PING("?")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_TEXT("one"), GOT_PING("?"), CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(PONG("?"), CLOSE(1000, ""))},
    {"between fragments: the message is dropped", .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"what comes behind is not looked at",
     .steps =
         STEPS(PEER(CLOSE(1000, "")), PEER(TEXT("two")), PEER(PING("?")), PEER(CLOSE(1001, "")), PEER(RAW("\xFF\xFF"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"nothing can be sent behind the answer",
     .steps = STEPS(PEER(CLOSE(1000, "")), SEND(JZ_MESSAGE_TEXT, "x", JZ_SEND_CLOSED),
                    SEND(JZ_MESSAGE_PING, "x", JZ_SEND_CLOSED), WE_CLOSE(1000, "", JZ_SEND_CLOSED)),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"the connection's end behind it tells nothing more",
     .steps = STEPS(PEER(CLOSE(1000, "")), CONNECTION_ENDS(JZ_FAILURE_NONE), CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
};

static const session_row closed_by_us[] = {
    {"the peer's answer ends it, and is not answered",
     .steps = STEPS(WE_CLOSE(1001, "bye", JZ_SEND_SENT), PEER(CLOSE(1001, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1001, "")), .output = FRAMES(CLOSE(1001, "bye"))},
    {"the event has the peer's code and reason, also where they differ from ours",
     .steps = STEPS(WE_CLOSE(1001, "bye", JZ_SEND_SENT), PEER(CLOSE(4000, "me too"))),
     .events = EVENTS(CLOSED_CLEANLY(4000, "me too")), .output = FRAMES(CLOSE(1001, "bye"))},
    {"an answer without a code", .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(CLOSE_WITHOUT_CODE)),
     .events = EVENTS(CLOSED_CLEANLY(1005, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"messages on their way are not delivered",
     .steps = STEPS(PEER(TEXT("one")), WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(TEXT("two")), PEER(BINARY_START("thr")),
                    PEER(PONG("?")), PEER(LAST("ee")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_TEXT("one"), CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"a message under way is not delivered",
     .steps = STEPS(PEER(TEXT_START("Hel")), WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(LAST("lo")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""))},
    {"pings are still answered, and not shown",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(PING("1")), PEER(TEXT_START("a")), PEER(PING("2")),
                    PEER(LAST("b")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")), .output = FRAMES(CLOSE(1000, ""), PONG("1"), PONG("2"))},
    {"messages are taken and hold no memory while the answer is awaited",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(TEXT("two")), PEER(TEXT_START("thr")), PEER(LAST("ee"))),
     .output = FRAMES(CLOSE(1000, ""))},
    {"nothing can be sent behind it, nor a second close",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), SEND(JZ_MESSAGE_TEXT, "x", JZ_SEND_CLOSED),
                    SEND(JZ_MESSAGE_PONG, "x", JZ_SEND_CLOSED), WE_CLOSE(1001, "", JZ_SEND_CLOSED)),
     .output = FRAMES(CLOSE(1000, ""))},
    {"the rules hold until the answer, but a second close frame is not sent",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(RAW("\x81\x05Hello"))),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_NOT_MASKED), CLOSED_UNCLEANLY(1002)), .output = FRAMES(CLOSE(1000, ""))},
    {"an answer with a code that may not be sent",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(CLOSE(1005, ""))),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_INVALID_CLOSE_CODE), CLOSED_UNCLEANLY(1002)),
     .output = FRAMES(CLOSE(1000, ""))},
    {"no answer before the connection ends",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006)), .output = FRAMES(CLOSE(1000, ""))},
    {"no answer before the connection breaks",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_TRANSPORT), CLOSED_UNCLEANLY(1006)), .output = FRAMES(CLOSE(1000, ""))},
};

static const session_row connections_that_end[] = {
    {"at once", .steps = STEPS(CONNECTION_ENDS(JZ_FAILURE_NONE)), .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"after a message", .steps = STEPS(PEER(TEXT("one")), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(GOT_TEXT("one"), CLOSED_UNCLEANLY(1006))},
    {"within a header", .steps = STEPS(PEER(RAW("\x81\x85")), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"within a frame", .steps = STEPS(PEER(PART_OF(JZ_OPCODE_TEXT, 6, "hal")), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"within a close frame",
     .steps = STEPS(PEER(PART_OF(JZ_OPCODE_CLOSE, 6, "\x03")), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"between fragments", .steps = STEPS(PEER(TEXT_START("Hel")), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"by being reset", .steps = STEPS(CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_TRANSPORT), CLOSED_UNCLEANLY(1006))},
    {"by being reset within a message", .steps = STEPS(PEER(TEXT_START("Hel")), CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_TRANSPORT), CLOSED_UNCLEANLY(1006))},
    {"twice", .steps = STEPS(CONNECTION_ENDS(JZ_FAILURE_NONE), CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
    {"and nothing can be sent any more",
     .steps = STEPS(CONNECTION_ENDS(JZ_FAILURE_NONE), SEND(JZ_MESSAGE_TEXT, "x", JZ_SEND_CLOSED),
                    WE_CLOSE(1000, "", JZ_SEND_CLOSED)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006))},
};

static const session_row sending[] = {
    {"every kind",
     .steps = STEPS(SEND(JZ_MESSAGE_TEXT, "t", JZ_SEND_SENT), SEND(JZ_MESSAGE_BINARY, "b", JZ_SEND_SENT),
                    SEND(JZ_MESSAGE_PING, "i", JZ_SEND_SENT), SEND(JZ_MESSAGE_PONG, "o", JZ_SEND_SENT)),
     .output = FRAMES(TEXT("t"), BINARY("b"), PING("i"), PONG("o"))},
    {"nothing, of every kind",
     .steps = STEPS(SEND(JZ_MESSAGE_TEXT, "", JZ_SEND_SENT), SEND(JZ_MESSAGE_BINARY, "", JZ_SEND_SENT),
                    SEND(JZ_MESSAGE_PING, "", JZ_SEND_SENT), SEND(JZ_MESSAGE_PONG, "", JZ_SEND_SENT)),
     .output = FRAMES(TEXT(""), BINARY(""), PING(""), PONG(""))},
    {"the longest ping and pong",
     .steps = STEPS(SEND_OF(JZ_MESSAGE_PING, JZ_SEND_SENT, REPEATED("x", 125)),
                    SEND_OF(JZ_MESSAGE_PONG, JZ_SEND_SENT, REPEATED("y", 125))),
     .output = FRAMES(PING_OF(REPEATED("x", 125)), PONG_OF(REPEATED("y", 125)))},
    {"a ping or pong that is too long is dropped, and the session goes on",
     .steps =
         STEPS(SEND_OF(JZ_MESSAGE_PING, JZ_SEND_DROPPED, REPEATED("x", 126)),
               SEND_OF(JZ_MESSAGE_PONG, JZ_SEND_DROPPED, REPEATED("x", 126)), SEND(JZ_MESSAGE_TEXT, "t", JZ_SEND_SENT)),
     .output = FRAMES(TEXT("t"))},
    {"a kind that there is not is dropped",
     .steps = STEPS(SEND((jz_message_kind)(JZ_MESSAGE_PONG + 1), "x", JZ_SEND_DROPPED),
                    SEND((jz_message_kind)255, "x", JZ_SEND_DROPPED))},
    {"messages may be larger than those that are taken", .max_message_size = 1,
     .steps = STEPS(SEND_OF(JZ_MESSAGE_BINARY, JZ_SEND_SENT, REPEATED("x", 70000))),
     .output = FRAMES(BINARY_OF(REPEATED("x", 70000)))},
};

/* Refused, and the connection stays open. */
#define REFUSES_TO_CLOSE(name, code, reason)                                                                           \
    {                                                                                                                  \
        name, .steps = STEPS(WE_CLOSE(code, reason, JZ_SEND_DROPPED), SEND(JZ_MESSAGE_TEXT, "open", JZ_SEND_SENT)),    \
              .output = FRAMES(TEXT("open"))                                                                           \
    }

#define CLOSES_WITH(code)                                                                                              \
    {                                                                                                                  \
        "code " #code, .steps = STEPS(WE_CLOSE(code, "r", JZ_SEND_SENT)), .output = FRAMES(CLOSE(code, "r"))           \
    }

static const session_row closing[] = {
    CLOSES_WITH(1000),
    CLOSES_WITH(1003),
    CLOSES_WITH(1007),
    CLOSES_WITH(1014),
    CLOSES_WITH(3000),
    CLOSES_WITH(4999),
    REFUSES_TO_CLOSE("not with code 0", 0, ""),
    REFUSES_TO_CLOSE("not with code 999", 999, ""),
    REFUSES_TO_CLOSE("not with code 1004", 1004, ""),
    {"code 1005 is an empty close frame, without a reason", .steps = STEPS(WE_CLOSE(1005, "reason", JZ_SEND_SENT)),
     .output = FRAMES(CLOSE_WITHOUT_CODE)},
    {"code 1006 goes as 1001", .steps = STEPS(WE_CLOSE(1006, "reason", JZ_SEND_SENT)),
     .output = FRAMES(CLOSE(1001, "reason"))},
    {"code 1015 goes as 1011", .steps = STEPS(WE_CLOSE(1015, "reason", JZ_SEND_SENT)),
     .output = FRAMES(CLOSE(1011, "reason"))},
    REFUSES_TO_CLOSE("not with code 1016", 1016, ""),
    REFUSES_TO_CLOSE("not with code 2999", 2999, ""),
    REFUSES_TO_CLOSE("not with code 5000", 5000, ""),
    REFUSES_TO_CLOSE("not with a reason that is not UTF-8", 1000, "\xFF"),
    REFUSES_TO_CLOSE("not with a reason that ends within a character", 1000, "a\xC3"),
    {"the longest reason that fits",
     .steps = STEPS({.type = STEP_CLOSE, .close_code = 1000, .bytes = REPEATED("r", 123)}),
     .output = FRAMES(CLOSE_OF(1000, REPEATED("r", 123)))},
    {"a longer reason is cut", .steps = STEPS({.type = STEP_CLOSE, .close_code = 1000, .bytes = REPEATED("r", 1000)}),
     .output = FRAMES(CLOSE_OF(1000, REPEATED("r", 123)))},
    {"a longer reason is cut at a character's end",
     .steps = STEPS({.type = STEP_CLOSE, .close_code = 1000, .bytes = REPEATED("\xC3\xA9", 200)}),
     .output = FRAMES(CLOSE_OF(1000, REPEATED("\xC3\xA9", 122)))},
};

int main(void)
{
    int failed = 0;
    failed += run_session_rows("closed by the peer", closed_by_the_peer, COUNT_OF(closed_by_the_peer));
    failed += run_session_rows("closed by us", closed_by_us, COUNT_OF(closed_by_us));
    failed += run_session_rows("connections that end", connections_that_end, COUNT_OF(connections_that_end));
    failed += run_session_rows("sending", sending, COUNT_OF(sending));
    failed += run_session_rows("closing", closing, COUNT_OF(closing));
    return EXIT_STATUS_OF(failed);
}
