/* Messages in fragments of every size (RFC 6455 §5.4): one byte, none, and each side of the length encodings. */
#include "kinds.h"
#include "topics.h"

/* Adds a message of `total` bytes, cut into fragments of `size`. */
static void add_cut_message(topic *topic, const data_kind *kind, size_t total, size_t size)
{
    size_t count = (total + size - 1) / size;
    session_step *steps = topic_allocate(topic, count * sizeof *steps);
    for (size_t i = 0; i < count; i++) {
        size_t start = i * size;
        size_t length = total - start < size ? total - start : size;
        test_bytes fragment = {kind->pattern + start % 8, 8 - start % 8, length};
        if (length > fragment.pattern_length) { /* the pattern has to go on from where it was cut */
            char *bytes = topic_allocate(topic, length);
            for (size_t k = 0; k < length; k++)
                bytes[k] = kind->pattern[(start + k) % 8];
            fragment = (test_bytes){bytes, length, length};
        }
        steps[i] = peer_frame(i + 1 == count, i == 0 ? kind->opcode : JZ_OPCODE_CONTINUATION, fragment);
    }
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s of %zu bytes in fragments of %zu", kind->name, total, size),
                            .steps = {steps, count},
                            .events = EVENTS(got(kind->kind, bytes_of_kind(kind, total))),
                            .is_large = total > 4096});
}

/* Two fragments of any lengths, and an empty one between them. */
static void add_pair(topic *topic, size_t first, size_t last)
{
    const data_kind *kind = &data_kinds[(first + last) % 2];
    static const test_bytes nothing = BYTES("");
    test_bytes start = REPEATED("x", first);
    test_bytes end = REPEATED("x", last);
    test_bytes message = REPEATED("x", first + last);
    topic_add(topic, (session_row){
                         .name = topic_text(topic, "%s of fragments of %zu, 0 and %zu bytes", kind->name, first, last),
                         .steps = STEPS(peer_frame(false, kind->opcode, start),
                                        peer_frame(false, JZ_OPCODE_CONTINUATION, nothing),
                                        peer_frame(true, JZ_OPCODE_CONTINUATION, end)),
                         .events = EVENTS(got(kind->kind, message)),
                         .is_large = first + last > 4096});
}

static void add_empty_fragments(topic *topic, const data_kind *kind, size_t count)
{
    static const test_bytes nothing = BYTES("");
    session_step *steps = topic_allocate(topic, count * sizeof *steps);
    for (size_t i = 0; i < count; i++)
        steps[i] = peer_frame(i + 1 == count, i == 0 ? kind->opcode : JZ_OPCODE_CONTINUATION, nothing);
    topic_add(topic, (session_row){.name = topic_text(topic, "%s of %zu empty fragments", kind->name, count),
                                   .steps = {steps, count},
                                   .events = EVENTS(got(kind->kind, nothing)),
                                   .is_large = count > 1000});
}

void add_fragment_size_rows(topic *topic)
{
    static const size_t sizes[] = {1, 2, 3, 5, 8, 13, 64, 125, 126, 127, 997};
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    static const size_t counts[] = {2, 3, 10, 1000, 10000};
    for (size_t k = 0; k < COUNT_OF(data_kinds); k++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            add_cut_message(topic, &data_kinds[k], 1000, sizes[i]);
        add_cut_message(topic, &data_kinds[k], 65536, 997);
        add_cut_message(topic, &data_kinds[k], 65536, 1300);
        for (size_t i = 0; i < COUNT_OF(counts); i++)
            add_empty_fragments(topic, &data_kinds[k], counts[i]);
    }
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (size_t j = 0; j < COUNT_OF(lengths); j++)
            add_pair(topic, lengths[i], lengths[j]);
    }
}
