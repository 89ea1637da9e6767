/* permessage-deflate with every combination of its parameters (RFC 7692 §7.1): the server does what it answers. */
#include "compression.h"
#include "topics.h"

/* A few messages through an agreement, with which each side has to keep to its window and its context. */
static void add_offer(topic *topic, const deflate_offer *offer)
{
    const test_bytes messages[] = {make_text(topic, 1000, 1), make_text(topic, 40, 2), make_text(topic, 3000, 3),
                                   make_noise(topic, 100, 4), make_text(topic, 1000, 1)};
    session_step steps[COUNT_OF(messages) + 2];
    session_event events[COUNT_OF(messages)];
    size_t count = 0;
    z_stream compressor;
    client_compressor_start(&compressor, offer);
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        const data_kind *kind = &data_kinds[i == 3];
        test_bytes compressed = client_compress(topic, &compressor, offer, messages[i]);
        events[i] = got_and_sent_back(kind->kind, messages[i]);
        if (i != 2) {
            steps[count++] = peer_compressed(true, kind->opcode, compressed);
            continue;
        }
        size_t third = compressed.total / 3;
        const char *bytes = compressed.pattern;
        size_t rest = compressed.total - 2 * third;
        steps[count++] = peer_compressed(false, kind->opcode, (test_bytes){bytes, third, third});
        steps[count++] = peer_frame(false, JZ_OPCODE_CONTINUATION, (test_bytes){bytes + third, third, third});
        steps[count++] = peer_frame(true, JZ_OPCODE_CONTINUATION, (test_bytes){bytes + 2 * third, rest, rest});
    }
    deflateEnd(&compressor);
    const session_deflate *deflate = deflate_of(topic, offer);
    topic_add(topic, (session_row){.name = topic_text(topic, "%s: %s",
                                                      offer->mode == JZ_DEFLATE_SHARED ? "shared" : "dedicated",
                                                      deflate->offer),
                                   .steps = {steps, count},
                                   .events = {events, COUNT_OF(events)},
                                   .deflate = deflate});
}

void add_compression_parameter_rows(topic *topic)
{
    static const uint8_t windows[] = {0, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t client_windows[] = {0, WITHOUT_VALUE, 9, 10, 11, 12, 13, 14, 15};
    for (size_t takeover = 0; takeover < 4; takeover++) {
        for (size_t i = 0; i < COUNT_OF(windows); i++) {
            for (size_t k = 0; k < COUNT_OF(client_windows); k++) {
                deflate_offer offer = {.mode = JZ_DEFLATE_DEDICATED,
                                       .server_no_context_takeover = (takeover & 1) != 0,
                                       .client_no_context_takeover = (takeover & 2) != 0,
                                       .server_max_window_bits = windows[i],
                                       .client_max_window_bits = client_windows[k]};
                add_offer(topic, &offer);
                offer.mode = JZ_DEFLATE_SHARED;
                bool is_at_an_end =
                    (i <= 1 || i == COUNT_OF(windows) - 1) && (k <= 2 || k == COUNT_OF(client_windows) - 1);
                if (is_at_an_end)
                    add_offer(topic, &offer);
            }
        }
    }
}
