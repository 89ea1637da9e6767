#include "http/request.h"

#include "codec/cookie.h"
#include "codec/query.h"
#include "session/subprotocol.h"

static jz_string string_of(jz_text text)
{
    return (jz_string){text.start != NULL ? text.start : "", text.length};
}

/* Stores a text in `value` if it was found, and if `value` is not NULL. */
static bool give(bool is_found, jz_text text, jz_string *value)
{
    if (is_found && value != NULL)
        *value = string_of(text);
    return is_found;
}

jz_string jz_request_path(const jz_request *request)
{
    return string_of(request->head->path);
}

jz_string jz_request_route(const jz_request *request)
{
    return string_of(jz_text_of(request->route));
}

jz_string jz_request_query(const jz_request *request)
{
    return string_of(request->head->query);
}

bool jz_request_parameter(const jz_request *request, const char *name, jz_string *value)
{
    jz_text wanted = jz_text_of(name);
    for (size_t i = 0; i < request->parameters->count; i++) {
        if (jz_text_equals(request->parameters->all[i].name, wanted))
            return give(true, request->parameters->all[i].value, value);
    }
    return false;
}

bool jz_request_parameter_at(const jz_request *request, size_t index, jz_string *name, jz_string *value)
{
    if (index >= request->parameters->count)
        return false;
    give(true, request->parameters->all[index].name, name);
    return give(true, request->parameters->all[index].value, value);
}

bool jz_request_query_value(const jz_request *request, const char *name, jz_string *value)
{
    jz_text found = {0};
    return give(jz_query_find(request->head->query, jz_text_of(name), &found), found, value);
}

bool jz_request_header(const jz_request *request, const char *name, jz_string *value)
{
    jz_text found = {0};
    return give(jz_request_head_find(request->head, name, &found) > 0, found, value);
}

bool jz_request_header_at(const jz_request *request, size_t index, jz_string *name, jz_string *value)
{
    if (index >= request->head->header_count)
        return false;
    give(true, request->head->headers[index].name, name);
    return give(true, request->head->headers[index].value, value);
}

bool jz_request_cookie(const jz_request *request, const char *name, jz_string *value)
{
    jz_text found = {0};
    return give(jz_cookie_find(request->head, jz_text_of(name), &found), found, value);
}

bool jz_request_subprotocol_at(const jz_request *request, size_t index, jz_string *subprotocol)
{
    jz_text offered = {0};
    size_t position = 0;
    for (size_t i = 0; i <= index; i++) {
        if (!jz_subprotocol_next(request->head, &position, &offered))
            return false;
    }
    return give(true, offered, subprotocol);
}

bool jz_request_is_secure(const jz_request *request)
{
    return request->is_secure;
}

bool jz_request_property(const jz_request *request, const char *name, size_t nth, jz_string *value)
{
    jz_text found = {0};
    return give(jz_properties_find(request->properties, jz_text_of(name), nth, &found), found, value);
}

bool jz_request_property_at(const jz_request *request, size_t index, jz_string *name, jz_string *value)
{
    jz_text found_name = {0};
    jz_text found = {0};
    bool is_found = jz_properties_at(request->properties, index, &found_name, &found);
    give(is_found, found_name, name);
    return give(is_found, found, value);
}

size_t jz_request_remote_address(const jz_request *request, char text[JZ_REMOTE_ADDRESS_SIZE])
{
    return jz_address_format(&request->client, text, JZ_REMOTE_ADDRESS_SIZE);
}

bool jz_percent_decode(jz_string text, bool plus_is_space, char *decoded, size_t *length)
{
    return jz_percent_decode_text((jz_text){text.start, text.length}, plus_is_space, decoded, length);
}
