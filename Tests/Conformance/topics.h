/* The topics: each adds its rows to a topic that is empty. */
#ifndef JAZZY_CONFORMANCE_TOPICS_H
#define JAZZY_CONFORMANCE_TOPICS_H

#include "topic.h"

typedef struct topic_source {
    const char *file;
    void (*add_rows)(topic *topic);
} topic_source;

/* All of them. */
extern const topic_source all_topics[];
extern const size_t all_topics_count;

void add_framing_rows(topic *topic);
void add_length_rows(topic *topic);
void add_control_frame_rows(topic *topic);
void add_reserved_bit_rows(topic *topic);
void add_reserved_opcode_rows(topic *topic);
void add_fragment_order_rows(topic *topic);
void add_fragment_size_rows(topic *topic);
void add_valid_utf8_rows(topic *topic);
void add_invalid_utf8_rows(topic *topic);
void add_close_code_rows(topic *topic);
void add_closing_rows(topic *topic);
void add_limit_rows(topic *topic);
void add_compression_offer_rows(topic *topic);
void add_compression_parameter_rows(topic *topic);
void add_compression_size_rows(topic *topic);
void add_compression_rule_rows(topic *topic);

#endif
