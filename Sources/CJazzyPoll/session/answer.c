#include "session/answer.h"

#include <stdlib.h>
#include <string.h>

#include "codec/token.h"

enum {
    NO_CONTENT = 204,
    RESET_CONTENT = 205, /* must have no content, and is of no use where no request has any (RFC 9110 §15.3.6) */
    NOT_MODIFIED = 304   /* must have no body (RFC 9110 §15.4.5), and is no answer to a handshake */
};

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

/* Whether the parts of a response may be sent. */
static bool may_be_sent(const jz_page_response *response)
{
    const char *content_type = response->content_type;
    return are_valid(response->headers, response->header_count) &&
           (content_type == NULL || (content_type[0] != '\0' && jz_is_field_value(jz_text_of(content_type))));
}

/* Copies a response. */
static jz_answer_status copy(const jz_page_response *response, jz_answer **answer)
{
    const char *content_type = response->content_type;
    size_t headers_length = length_of(response->headers, response->header_count);
    size_t body_length = content_type != NULL ? response->length : 0;
    size_t type_length = content_type != NULL ? strlen(content_type) : 0;
    char *end;
    if (body_length > SIZE_MAX / 2)
        return JZ_ANSWER_OUT_OF_MEMORY;
    *answer = create(headers_length + type_length + 1 + body_length, &end);
    if (*answer == NULL)
        return JZ_ANSWER_OUT_OF_MEMORY;
    (*answer)->status = response->status;
    (*answer)->headers = put_headers(&end, response->headers, response->header_count);
    (*answer)->content_type = put(&end, content_type, type_length);
    put(&end, "", 1); /* terminates the content type */
    (*answer)->body = put(&end, response->body, body_length);
    return JZ_ANSWER_TAKEN;
}

jz_answer_status jz_answer_rejecting(const jz_rejection *rejection, jz_answer **answer)
{
    const jz_page_response response = {.status = rejection->status,
                                       .content_type = rejection->content_type,
                                       .body = rejection->body,
                                       .length = rejection->length,
                                       .headers = rejection->headers,
                                       .header_count = rejection->header_count};
    if (rejection->status < 300 || rejection->status > 599 || rejection->status == NOT_MODIFIED ||
        !may_be_sent(&response))
        return JZ_ANSWER_INVALID;
    return copy(&response, answer);
}

jz_answer_status jz_answer_responding(const jz_page_response *response, uint32_t exchange, jz_answer **answer)
{
    jz_page_response complete = *response;
    if (complete.status == 0)
        complete.status = 200;
    if (complete.status < 200 || complete.status > 599 || complete.status == RESET_CONTENT || !may_be_sent(&complete))
        return JZ_ANSWER_INVALID;
    if (complete.status == NO_CONTENT || complete.status == NOT_MODIFIED)
        complete.content_type = NULL;
    jz_answer_status status = copy(&complete, answer);
    if (status == JZ_ANSWER_TAKEN)
        (*answer)->exchange = exchange;
    return status;
}

void jz_answer_free(jz_answer *answer)
{
    if (answer == NULL)
        return;
    if (answer->state != NULL && answer->release_state != NULL)
        answer->release_state(answer->state);
    free(answer);
}
