#include "codec/forwarded.h"

#include "codec/authority.h"
#include "codec/token.h"

enum { MAX_NODE = 128 }; /* bytes; an address with a port has at most 47, an obfuscated port may be longer */

/* A header with a list of addresses. */
typedef struct node_list {
    const char *name;
    bool has_quoted_strings;
    bool (*parse_element)(jz_text element, jz_address *address);
} node_list;

/* Whether an odd number of backslashes precedes the character, which makes it part of a quoted string. */
static bool is_escaped(jz_text text, size_t position)
{
    size_t backslashes = 0;
    while (backslashes < position && text.start[position - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/*
 * Takes the last element off a list, with its comma. Quoted strings are recognized backwards: their end is found first,
 * their beginning is the quote that is not escaped. Read forwards, an open quote at the front, which an attacker may
 * have written, would swallow what proxies appended later.
 */
static bool take_last(jz_text *list, bool has_quoted_strings, jz_text *element)
{
    if (list->length == 0)
        return false;
    size_t start = list->length;
    bool is_quoted = false;
    for (; start > 0 && (is_quoted || list->start[start - 1] != ','); start--) {
        bool is_quote = has_quoted_strings && list->start[start - 1] == '"';
        if (is_quote && !(is_quoted && is_escaped(*list, start - 1)))
            is_quoted = !is_quoted;
    }
    *element = jz_text_trim((jz_text){list->start + start, list->length - start});
    list->length = start > 0 ? start - 1 : 0;
    return true;
}

static bool is_trusted(const jz_address *address, const jz_network *trusted, size_t trusted_count)
{
    for (size_t i = 0; i < trusted_count; i++) {
        if (jz_network_contains(&trusted[i], address))
            return true;
    }
    return false;
}

/* All header lines of one name are one list (RFC 9110 §5.3); empty elements do not count (§5.6.1.2). */
static bool find_client(const jz_request_head *head, const node_list *list, const jz_network *trusted,
                        size_t trusted_count, jz_address *client)
{
    bool is_found = false;
    jz_text name = jz_text_of(list->name);
    for (size_t i = head->header_count; i > 0; i--) {
        jz_text rest = head->headers[i - 1].value;
        jz_text element;
        if (!jz_text_equals_ignoring_case(head->headers[i - 1].name, name))
            continue;
        while (take_last(&rest, list->has_quoted_strings, &element)) {
            if (element.length == 0)
                continue;
            if (!list->parse_element(element, client))
                return is_found;
            is_found = true;
            if (!is_trusted(client, trusted, trusted_count))
                return true;
        }
    }
    return is_found;
}

bool jz_x_forwarded_for(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                        jz_address *client)
{
    static const node_list list = {"X-Forwarded-For", false, jz_address_parse};
    return find_client(head, &list, trusted, trusted_count, client);
}

/* A value without its quotes and backslashes. Where it is longer than any address or host, only its length is kept. */
typedef struct parameter_value {
    char bytes[JZ_MAX_FORWARDED_VALUE];
    size_t length;
} parameter_value;

static void append_to_value(parameter_value *value, char character)
{
    if (value->length < JZ_MAX_FORWARDED_VALUE)
        value->bytes[value->length] = character;
    value->length++;
}

/* The rest of a quoted-string (RFC 9110 §5.6.4), behind its first quote. */
static bool take_quoted_string(jz_text *rest, parameter_value *value)
{
    while (rest->length > 0) {
        char character = rest->start[0];
        jz_text_skip(rest, 1);
        if (character == '"')
            return true;
        if (character == '\\') {
            if (rest->length == 0)
                return false;
            character = rest->start[0];
            jz_text_skip(rest, 1);
        }
        append_to_value(value, character);
    }
    return false;
}

static bool take_value(jz_text *rest, parameter_value *value)
{
    value->length = 0;
    if (rest->length > 0 && rest->start[0] == '"') {
        jz_text_skip(rest, 1);
        return take_quoted_string(rest, value);
    }
    jz_text token = jz_take_token(rest);
    for (size_t i = 0; i < token.length; i++)
        append_to_value(value, token.start[i]);
    return token.length > 0;
}

/* "_" and at least one more character that an obfuscated port may have (RFC 7239 §6.2). */
static bool is_obfuscated_port(jz_text text)
{
    if (text.length < 2 || text.start[0] != '_')
        return false;
    for (size_t i = 1; i < text.length; i++) {
        char character = text.start[i];
        if (!jz_is_token_character(character) || strchr("!#$%&'*+^`|~", character) != NULL)
            return false;
    }
    return true;
}

/* A node (RFC 7239 §6) that is an address. Its port may be hidden. IPv6 needs brackets to have a port. */
static bool parse_node(jz_text node, jz_address *address)
{
    size_t colons = 0;
    size_t last_colon = 0;
    for (size_t i = 0; i < node.length; i++) {
        if (node.start[i] == ']')
            colons = 0;
        if (node.start[i] != ':')
            continue;
        colons++;
        last_colon = i;
    }
    if (colons > 1)
        return false;
    if (colons == 1 && is_obfuscated_port((jz_text){node.start + last_colon + 1, node.length - last_colon - 1}))
        node.length = last_colon;
    return jz_address_parse(node, address);
}

static void skip_white_space(jz_text *rest)
{
    while (rest->length > 0 && (rest->start[0] == ' ' || rest->start[0] == '\t'))
        jz_text_skip(rest, 1);
}

/* What an element of Forwarded says. */
typedef struct forwarded_element {
    bool is_named;    /* it has a "for" */
    bool has_address; /* and that is an address, not hidden */
    jz_address address;
    bool has_host;
    parameter_value host;
    jz_scheme_naming scheme;
} forwarded_element;

static bool take_for(const parameter_value *value, forwarded_element *element)
{
    bool is_repeated = element->is_named;
    element->is_named = true;
    element->has_address =
        value->length <= MAX_NODE && parse_node((jz_text){value->bytes, value->length}, &element->address);
    return !is_repeated;
}

/* Where an element has two hosts, neither is believed; its "for" still counts. */
static void take_host(const parameter_value *value, forwarded_element *element)
{
    bool is_repeated = element->has_host;
    element->has_host = true;
    element->host = *value;
    if (is_repeated)
        element->host.length = 0;
}

static jz_scheme_naming scheme_in(jz_text text)
{
    bool is_secure = jz_text_equals_ignoring_case(text, jz_text_of("https")) ||
                     jz_text_equals_ignoring_case(text, jz_text_of("wss"));
    return is_secure ? JZ_SCHEME_SECURE : JZ_SCHEME_PLAIN;
}

/* Where an element has two schemes, it is not secure unless both are. */
static void take_proto(const parameter_value *value, forwarded_element *element)
{
    size_t length = value->length <= JZ_MAX_FORWARDED_VALUE ? value->length : 0;
    if (element->scheme != JZ_SCHEME_PLAIN)
        element->scheme = scheme_in((jz_text){value->bytes, length});
}

/* Takes a pair of name and value. False if there is none, or if it is a second "for". */
static bool take_pair(jz_text *rest, forwarded_element *element)
{
    parameter_value value;
    jz_text name = jz_take_token(rest);
    if (name.length == 0 || rest->length == 0 || rest->start[0] != '=')
        return false;
    jz_text_skip(rest, 1);
    if (!take_value(rest, &value))
        return false;
    if (jz_text_equals_ignoring_case(name, jz_text_of("for")))
        return take_for(&value, element);
    if (jz_text_equals_ignoring_case(name, jz_text_of("host")))
        take_host(&value, element);
    else if (jz_text_equals_ignoring_case(name, jz_text_of("proto")))
        take_proto(&value, element);
    return true;
}

/* An element of Forwarded (RFC 7239 §4): pairs in any order, some perhaps empty, with semicolons between them. */
static bool parse_pairs(jz_text rest, forwarded_element *element)
{
    *element = (forwarded_element){0};
    while (rest.length > 0) {
        skip_white_space(&rest); /* not allowed beside a semicolon, but seen in practice */
        if (rest.length > 0 && rest.start[0] != ';' && !take_pair(&rest, element))
            return false;
        skip_white_space(&rest);
        if (rest.length > 0 && rest.start[0] != ';')
            return false;
        if (rest.length > 0)
            jz_text_skip(&rest, 1);
    }
    return true;
}

static bool parse_forwarded_element(jz_text rest, jz_address *address)
{
    forwarded_element element;
    if (!parse_pairs(rest, &element) || !element.has_address)
        return false;
    *address = element.address;
    return true;
}

bool jz_forwarded(const jz_request_head *head, const jz_network *trusted, size_t trusted_count, jz_address *client)
{
    static const node_list list = {"Forwarded", true, parse_forwarded_element};
    return find_client(head, &list, trusted, trusted_count, client);
}

jz_client_naming jz_client_in_header(const jz_request_head *head, const char *name, jz_address *client)
{
    jz_text value;
    jz_address address;
    size_t count = jz_request_head_find(head, name, &value);
    if (count == 0)
        return JZ_CLIENT_NOT_NAMED;
    if (count > 1 || !jz_address_parse(value, &address))
        return JZ_CLIENT_MISNAMED;
    *client = address;
    return JZ_CLIENT_NAMED;
}

/* Keeps a text if it is a host, else the empty text. */
static void keep_host(jz_text text, jz_host_value *host)
{
    bool is_host = text.length <= sizeof host->bytes && jz_authority_is_valid(text);
    host->length = is_host ? text.length : 0;
    memcpy(host->bytes, text.start, host->length);
}

/* Goes through all elements of a header, the last first. Empty elements do not count. */
typedef struct backwards {
    const jz_request_head *head;
    jz_text name;
    bool has_quoted_strings;
    size_t lines; /* that are left */
    jz_text rest; /* of the line behind them */
} backwards;

static backwards backwards_from_end(const jz_request_head *head, const char *name, bool has_quoted_strings)
{
    return (backwards){head, jz_text_of(name), has_quoted_strings, head->header_count, {NULL, 0}};
}

static bool step_back(backwards *walk, jz_text *element)
{
    for (;;) {
        while (take_last(&walk->rest, walk->has_quoted_strings, element)) {
            if (element->length > 0)
                return true;
        }
        if (walk->lines == 0)
            return false;
        const jz_header *header = &walk->head->headers[--walk->lines];
        if (jz_text_equals_ignoring_case(header->name, walk->name))
            walk->rest = header->value;
    }
}

bool jz_x_forwarded_host(const jz_request_head *head, jz_host_value *host)
{
    backwards walk = backwards_from_end(head, "X-Forwarded-Host", false);
    jz_text element;
    bool is_found = step_back(&walk, &element);
    if (is_found)
        keep_host(element, host);
    return is_found;
}

bool jz_forwarded_host_of(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                          jz_host_value *host)
{
    backwards walk = backwards_from_end(head, "Forwarded", true);
    bool is_found = false;
    jz_text text;
    while (step_back(&walk, &text)) {
        forwarded_element element;
        if (!parse_pairs(text, &element)) {
            host->length = is_found ? host->length : 0;
            return true;
        }
        if (element.has_host) {
            size_t length = element.host.length <= JZ_MAX_FORWARDED_VALUE ? element.host.length : 0;
            keep_host((jz_text){element.host.bytes, length}, host);
            is_found = true;
        }
        if (!element.has_address || !is_trusted(&element.address, trusted, trusted_count))
            return is_found;
    }
    return is_found;
}

jz_scheme_naming jz_x_forwarded_scheme(const jz_request_head *head)
{
    backwards walk = backwards_from_end(head, "X-Forwarded-Proto", false);
    jz_text element;
    return step_back(&walk, &element) ? scheme_in(element) : JZ_SCHEME_NOT_NAMED;
}

jz_scheme_naming jz_forwarded_scheme(const jz_request_head *head, const jz_network *trusted, size_t trusted_count)
{
    backwards walk = backwards_from_end(head, "Forwarded", true);
    jz_scheme_naming naming = JZ_SCHEME_NOT_NAMED;
    jz_text text;
    while (step_back(&walk, &text)) {
        forwarded_element element;
        if (!parse_pairs(text, &element))
            return JZ_SCHEME_NOT_NAMED;
        naming = element.scheme;
        if (!element.has_address || !is_trusted(&element.address, trusted, trusted_count))
            break;
    }
    return naming;
}
