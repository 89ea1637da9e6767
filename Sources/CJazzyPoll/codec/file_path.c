#include "codec/file_path.h"

enum { MOST_BYTES = 4000, MOST_BYTES_OF_SEGMENT = 255 }; /* what Linux allows, with room for the folder's own path */

static bool may_be_segment(jz_text segment, bool is_first)
{
    if (segment.length == 0 || segment.length > MOST_BYTES_OF_SEGMENT)
        return false;
    return segment.start[0] != '.' || (is_first && jz_text_equals(segment, jz_text_of(".well-known")));
}

bool jz_file_path_may_be_served(jz_text path)
{
    if (path.length > MOST_BYTES || (path.length > 0 && memchr(path.start, '\0', path.length) != NULL))
        return false;
    jz_text segment;
    for (bool is_first = true; jz_text_take_piece(&path, '/', &segment); is_first = false) {
        if (!may_be_segment(segment, is_first))
            return false;
    }
    return true;
}
