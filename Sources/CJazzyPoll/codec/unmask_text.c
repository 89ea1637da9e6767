#include "codec/unmask_text.h"

#include "codec/mask.h"
#include "codec/text_blocks.h"

bool jz_unmask_text(jz_utf8 *state, uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4],
                    size_t offset)
{
    jz_text_blocks *take_blocks = length >= JZ_UTF8_BLOCKS_FROM ? jz_text_blocks_in_use() : NULL;
    if (take_blocks == NULL) {
        jz_mask(destination, source, length, key, offset);
        return jz_utf8_feed(state, destination, length);
    }
    /* Blocks have to begin with a character: finish the one under way first. */
    size_t pending = state->pending;
    jz_mask(destination, source, pending, key, offset);
    if (!jz_utf8_feed(state, destination, pending))
        return false;
    destination += pending;
    source += pending;
    length -= pending;
    offset = (offset & 3) + pending;

    size_t blocks = length / JZ_TEXT_BLOCK * JZ_TEXT_BLOCK;
    if (!take_blocks(destination, source, blocks / JZ_TEXT_BLOCK, jz_mask_turned_key(key, offset)))
        return false;
    jz_mask(destination + blocks, source + blocks, length - blocks, key, offset);
    /* A character that the last block cuts is checked again, together with its rest. */
    size_t checked = blocks - jz_utf8_cut_length(destination, blocks);
    return jz_utf8_feed(state, destination + checked, length - checked);
}
