#include "session/whole_inflater.h"

#ifdef JZ_DEFLATE_ISAL
#include "../../CJazzyISAL/CJazzyISAL.h"

#include "session/decompressor.h"
#include "session/memory.h"

/*
 * Bytes of a payload from which on ISA-L is faster: its tables for a block take longer to make than zlib's. Tests have
 * it take every message.
 */
#ifndef JZ_WORTH_INFLATING
#define JZ_WORTH_INFLATING 1024
#endif

enum { TAIL = 4 }; /* 00 00 FF FF, which the sender omitted (RFC 7692 §7.2.2) */

struct jz_whole_inflater {
    struct inflate_state state;
};

void jz_whole_inflater_free(jz_whole_inflater *inflater)
{
    if (inflater != NULL)
        jz_memory_unmap(inflater, sizeof *inflater);
}

static bool ensure(jz_whole_inflater **inflater)
{
    if (*inflater == NULL) {
        *inflater = jz_memory_map(sizeof **inflater);
        if (*inflater != NULL)
            isal_inflate_init(&(*inflater)->state);
    }
    return *inflater != NULL;
}

static bool has_ended(const struct inflate_state *state)
{
    return state->block_state == ISAL_BLOCK_INPUT_DONE || state->block_state == ISAL_BLOCK_FINISH;
}

/* Takes all of `length` bytes, or as many as there are up to the end of a block with BFINAL set. */
static bool take(struct inflate_state *state, const uint8_t *bytes, uint32_t length, size_t max_message_size,
                 jz_buffer *output)
{
    state->next_in = (uint8_t *)(uintptr_t)bytes;
    state->avail_in = length;
    do {
        if (!jz_make_room_to_inflate(output, max_message_size))
            return false;
        size_t room = output->capacity - output->length;
        state->next_out = output->bytes + output->length;
        state->avail_out = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
        uint32_t given = state->avail_out;
        if (isal_inflate(state) != ISAL_DECOMP_OK)
            return false;
        output->length += given - state->avail_out;
        if (output->length > max_message_size)
            return false;
    } while (state->avail_out == 0); /* unused room means that there is no more output */
    return has_ended(state) || state->avail_in == 0;
}

/* Between two blocks, at a byte boundary, where a message must end (§7.2.1). */
static bool is_at_block_boundary(const struct inflate_state *state)
{
    bool is_between = state->block_state == ISAL_BLOCK_NEW_HDR || state->block_state == ISAL_BLOCK_HDR;
    return is_between && state->tmp_in_size == 0 && state->read_in_length == 0;
}

/*
 * Whether nothing is behind the block with BFINAL set, or only the byte that makes the tail an empty block (§7.2.3.4).
 */
static bool is_all(const struct inflate_state *state)
{
    uint32_t buffered = (uint32_t)state->read_in_length / 8;
    if (buffered + state->avail_in > 1)
        return false;
    uint64_t padding = buffered == 1          ? state->read_in >> (state->read_in_length % 8)
                       : state->avail_in == 1 ? *state->next_in
                                              : 0;
    return (padding & 0xFF) == 0;
}

bool jz_inflate_whole(jz_whole_inflater **inflater, const uint8_t *bytes, size_t length, size_t max_message_size,
                      jz_buffer *output)
{
    static const uint8_t tail[TAIL] = {0x00, 0x00, 0xFF, 0xFF};
    if (length < JZ_WORTH_INFLATING || length > UINT32_MAX || !ensure(inflater))
        return false;
    struct inflate_state *state = &(*inflater)->state;
    output->length = 0;
    isal_inflate_reset(state);
    if (!take(state, bytes, (uint32_t)length, max_message_size, output))
        return false;
    if (has_ended(state))
        return is_all(state);
    return take(state, tail, TAIL, max_message_size, output) && is_at_block_boundary(state);
}
#endif
