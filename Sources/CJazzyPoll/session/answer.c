#include "session/answer.h"

#include <stdlib.h>
#include <string.h>

#include "codec/token.h"

enum { NOT_MODIFIED = 304 }; /* must have no body (RFC 9110 §15.4.5), and is no answer to a handshake */

/* Header fields that the server sets itself, or that would change where the response ends. */
static bool is_reserved(jz_text name)
{
    static const char *const reserved[] = {"Connection",     "Upgrade",      "Date",
                                           "Content-Length", "Content-Type", "Transfer-Encoding"};
    static const char prefix[] = "Sec-WebSocket-";
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (jz_text_equals_ignoring_case(name, jz_text_of(reserved[i])))
            return true;
    }
    size_t length = strlen(prefix);
    return name.length >= length && jz_text_equals_ignoring_case((jz_text){name.start, length}, jz_text_of(prefix));
}

static bool are_valid(const jz_response_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].name == NULL || headers[i].value == NULL)
            return false;
        jz_text name = jz_text_of(headers[i].name);
        if (!jz_is_token(name) || is_reserved(name) || !jz_is_field_value(jz_text_of(headers[i].value)))
            return false;
    }
    return true;
}

/* The length of the header lines. Cannot overflow, because all texts are in memory. */
static size_t length_of(const jz_response_header *headers, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += strlen(headers[i].name) + strlen(": ") + strlen(headers[i].value) + strlen("\r\n");
    return length;
}

/* Appends a text of the answer at `*end`. */
static jz_text put(char **end, const void *bytes, size_t length)
{
    jz_text text = {*end, length};
    if (length > 0)
        memcpy(*end, bytes, length);
    *end += length;
    return text;
}

static void put_text(char **end, const char *text)
{
    put(end, text, strlen(text));
}

static jz_text put_headers(char **end, const jz_response_header *headers, size_t count)
{
    const char *start = *end;
    for (size_t i = 0; i < count; i++) {
        put_text(end, headers[i].name);
        put_text(end, ": ");
        put_text(end, headers[i].value);
        put_text(end, "\r\n");
    }
    return (jz_text){start, (size_t)(*end - start)};
}

/* An answer without texts, with `room` bytes for them behind it. */
static jz_answer *create(size_t room, char **end)
{
    jz_answer *answer = room < SIZE_MAX - sizeof *answer ? calloc(1, sizeof *answer + room) : NULL;
    if (answer == NULL)
        return NULL;
    *end = (char *)(answer + 1);
    const jz_text nothing = {*end, 0};
    answer->subprotocol = answer->headers = answer->content_type = answer->body = nothing;
    return answer;
}

jz_answer_status jz_answer_accepting(const jz_acceptance *acceptance, jz_answer **answer)
{
    const jz_acceptance plain = {0};
    if (acceptance == NULL)
        acceptance = &plain;
    const char *subprotocol = acceptance->subprotocol;
    if (!are_valid(acceptance->headers, acceptance->header_count) ||
        (subprotocol != NULL && subprotocol[0] != '\0' && !jz_is_token(jz_text_of(subprotocol))))
        return JZ_ANSWER_INVALID;
    size_t subprotocol_length = subprotocol != NULL ? strlen(subprotocol) : 0;
    char *end;
    *answer = create(subprotocol_length + length_of(acceptance->headers, acceptance->header_count), &end);
    if (*answer == NULL)
        return JZ_ANSWER_OUT_OF_MEMORY;
    (*answer)->accepts = true;
    (*answer)->names_subprotocol = subprotocol != NULL;
    (*answer)->declines_compression = acceptance->declines_compression;
    (*answer)->subprotocol = put(&end, subprotocol, subprotocol_length);
    (*answer)->headers = put_headers(&end, acceptance->headers, acceptance->header_count);
    (*answer)->state = acceptance->state;
    return JZ_ANSWER_TAKEN;
}

jz_answer_status jz_answer_rejecting(const jz_rejection *rejection, jz_answer **answer)
{
    const char *content_type = rejection->content_type;
    if (rejection->status < 300 || rejection->status > 599 || rejection->status == NOT_MODIFIED ||
        !are_valid(rejection->headers, rejection->header_count) ||
        (content_type != NULL && (content_type[0] == '\0' || !jz_is_field_value(jz_text_of(content_type)))))
        return JZ_ANSWER_INVALID;
    size_t headers_length = length_of(rejection->headers, rejection->header_count);
    size_t body_length = content_type != NULL ? rejection->length : 0;
    size_t type_length = content_type != NULL ? strlen(content_type) : 0;
    char *end;
    if (body_length > SIZE_MAX / 2)
        return JZ_ANSWER_OUT_OF_MEMORY;
    *answer = create(headers_length + type_length + 1 + body_length, &end);
    if (*answer == NULL)
        return JZ_ANSWER_OUT_OF_MEMORY;
    (*answer)->status = rejection->status;
    (*answer)->headers = put_headers(&end, rejection->headers, rejection->header_count);
    (*answer)->content_type = put(&end, content_type, type_length);
    put(&end, "", 1); /* terminates the content type */
    (*answer)->body = put(&end, rejection->body, body_length);
    return JZ_ANSWER_TAKEN;
}

void jz_answer_free(jz_answer *answer)
{
    if (answer == NULL)
        return;
    if (answer->state != NULL && answer->release_state != NULL)
        answer->release_state(answer->state);
    free(answer);
}
