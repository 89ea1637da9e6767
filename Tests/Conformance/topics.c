#include "topics.h"

const topic_source all_topics[] = {
    {"framing.c", add_framing_rows},
    {"lengths.c", add_length_rows},
    {"control_frames.c", add_control_frame_rows},
    {"reserved_bits.c", add_reserved_bit_rows},
    {"reserved_opcodes.c", add_reserved_opcode_rows},
    {"fragment_orders.c", add_fragment_order_rows},
    {"fragment_sizes.c", add_fragment_size_rows},
    {"utf8_valid.c", add_valid_utf8_rows},
    {"utf8_invalid.c", add_invalid_utf8_rows},
    {"close_codes.c", add_close_code_rows},
    {"closing.c", add_closing_rows},
    {"limits.c", add_limit_rows},
    {"compression_offers.c", add_compression_offer_rows},
    {"compression_parameters.c", add_compression_parameter_rows},
    {"compression_sizes.c", add_compression_size_rows},
    {"compression_rules.c", add_compression_rule_rows},
};

const size_t all_topics_count = COUNT_OF(all_topics);
