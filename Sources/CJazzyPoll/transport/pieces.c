#include <string.h>

#include "jazzy/transport.h"

size_t jz_pieces_join(const jz_piece *pieces, size_t count, size_t skipped, uint8_t *bytes, size_t capacity)
{
    size_t joined = 0;
    for (size_t i = 0; i < count && joined < capacity; i++) {
        size_t start = skipped < pieces[i].length ? skipped : pieces[i].length;
        size_t length = pieces[i].length - start;
        if (length > capacity - joined)
            length = capacity - joined;
        if (length > 0)
            memcpy(bytes + joined, pieces[i].bytes + start, length);
        joined += length;
        skipped -= start;
    }
    return joined;
}
