#include "session/subprotocol.h"

#include "codec/token.h"

static const char header_name[] = "Sec-WebSocket-Protocol";

static bool is_subprotocol_line(const jz_header *header)
{
    return jz_text_equals_ignoring_case(header->name, jz_text_of(header_name));
}

/*
 * Several lines mean the same as one line with commas between them (RFC 9110 §5.3). `position` is a position in that
 * line: each line counts its length, and one for the comma.
 */
bool jz_subprotocol_next(const jz_request_head *head, size_t *position, jz_text *offered)
{
    size_t line_start = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        if (!is_subprotocol_line(&head->headers[i]))
            continue;
        jz_text line = head->headers[i].value;
        size_t line_end = line_start + line.length + 1;
        if (*position < line_end) {
            size_t passed = *position - line_start;
            jz_text rest = {line.start + passed, line.length - passed};
            while (jz_text_take_piece(&rest, ',', offered)) {
                *offered = jz_text_trim(*offered);
                if (offered->length == 0)
                    continue;
                *position = line_end - 1 - rest.length;
                return true;
            }
            *position = line_end;
        }
        line_start = line_end;
    }
    return false;
}

bool jz_subprotocols_are_valid(const jz_request_head *head)
{
    jz_text all[JZ_MAX_SUBPROTOCOLS];
    size_t count = 0;
    size_t position = 0;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered)) {
        if (count == JZ_MAX_SUBPROTOCOLS || !jz_is_token(offered))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (jz_text_equals(all[i], offered))
                return false;
        }
        all[count++] = offered;
    }
    return true;
}

bool jz_subprotocol_is_offered(const jz_request_head *head, jz_text subprotocol)
{
    size_t position = 0;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered)) {
        if (jz_text_equals(offered, subprotocol))
            return true;
    }
    return false;
}

size_t jz_subprotocol_choose(const jz_request_head *head, const char *const *preferred, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (jz_subprotocol_is_offered(head, jz_text_of(preferred[i])))
            return i;
    }
    return count;
}
