/*
 * Positions of topics in queries, as clients bring them: a topic in the first line, and a query behind it. What is
 * found is what a plain reading finds: of the values of "since", decoded as a whole, the first that has a position and
 * then that topic.
 */
#include "jazzy/history.h"

#include "codec/query.h"
#include "http/request.h"
#include "support/fuzz_input.h"
#include "support/plain_text.h"

static jz_text take_line(jz_text *text)
{
    jz_text line;
    if (!jz_text_take_until(text, '\n', &line)) {
        line = *text;
        text->start += text->length;
        text->length = 0;
    }
    return line;
}

static bool is_of_topic(jz_text decoded, jz_text topic, jz_position *position)
{
    size_t length = 0;
    for (size_t colons = 0; length < decoded.length; length++) {
        colons += decoded.start[length] == ':' ? 1 : 0;
        if (colons == 2)
            break;
    }
    if (length == decoded.length || !jz_position_parse(decoded.start, length, position))
        return false;
    return jz_text_equals((jz_text){decoded.start + length + 1, decoded.length - length - 1}, topic);
}

static bool find_plainly(jz_text query, jz_text topic, jz_position *position)
{
    jz_text pair;
    bool is_found = false;
    while (!is_found && jz_text_take_piece(&query, '&', &pair)) {
        jz_text name;
        size_t length;
        if (!jz_text_take_until(&pair, '=', &name) || !plain_is(name, "since"))
            continue;
        char *decoded = malloc(pair.length + 1);
        require(decoded != NULL, "the fuzzer has memory");
        is_found = jz_percent_decode_text(pair, true, decoded, &length) &&
                   is_of_topic((jz_text){decoded, length}, topic, position);
        free(decoded);
    }
    return is_found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    jz_text rest = {copy, size};
    jz_text topic = take_line(&rest);
    const jz_request_head head = {.query = rest};
    const jz_request request = {.head = &head};
    jz_position expected = {0};
    jz_position position = {1, 1};
    bool is_there = find_plainly(rest, topic, &expected);
    require(jz_request_position(&request, topic.start, topic.length, &position) == is_there,
            "a position is found where there is one of that topic");
    if (is_there)
        require(position.epoch == expected.epoch && position.offset == expected.offset, "it is the first one");
    else
        require(position.epoch == 1 && position.offset == 1, "what is not found changes nothing");
    free(copy);
    return 0;
}
