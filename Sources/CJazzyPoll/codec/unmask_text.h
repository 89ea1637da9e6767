/* Received text: unmasked (RFC 6455 §5.3) and checked (§8.1) in one pass. */
#ifndef JAZZY_CODEC_UNMASK_TEXT_H
#define JAZZY_CODEC_UNMASK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/utf8.h"

/* Does what jz_mask and then jz_utf8_feed do. If it returns false, a part may not have been unmasked. */
bool jz_unmask_text(jz_utf8 *state, uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4],
                    size_t offset);

#endif
