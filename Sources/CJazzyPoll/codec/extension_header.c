#include "codec/extension_header.h"

#include "codec/token.h"

enum { MAX_PARAMETER_VALUE = 16 }; /* bytes; a legal value for permessage-deflate has at most two */

/* A parameter as written; its meaning is judged later. */
typedef struct parameter {
    jz_text name;
    bool has_value;
    bool is_ill_formed;
    size_t value_length; /* without quotes and backslashes */
    char value[MAX_PARAMETER_VALUE];
} parameter;

static void skip_white_space(jz_text *rest)
{
    while (rest->length > 0 && (rest->start[0] == ' ' || rest->start[0] == '\t'))
        jz_text_skip(rest, 1);
}

static bool take_character(jz_text *rest, char character)
{
    skip_white_space(rest);
    if (rest->length == 0 || rest->start[0] != character)
        return false;
    jz_text_skip(rest, 1);
    return true;
}

static jz_text take_token(jz_text *rest)
{
    skip_white_space(rest);
    return jz_take_token(rest);
}

static void append_to_value(parameter *taken, char character)
{
    if (taken->value_length < MAX_PARAMETER_VALUE)
        taken->value[taken->value_length] = character;
    taken->value_length++;
}

/* The rest of a quoted-string (RFC 9110 §5.6.4), whose content must also be a token (RFC 6455 §9.1). */
static bool take_quoted_string(jz_text *rest, parameter *taken)
{
    while (rest->length > 0) {
        char character = rest->start[0];
        jz_text_skip(rest, 1);
        if (character == '"') {
            taken->is_ill_formed = taken->is_ill_formed || taken->value_length == 0;
            return true;
        }
        if (character == '\\') {
            if (rest->length == 0)
                return false;
            character = rest->start[0];
            jz_text_skip(rest, 1);
        }
        taken->is_ill_formed = taken->is_ill_formed || !jz_is_token_character(character);
        append_to_value(taken, character);
    }
    return false;
}

/* Takes a parameter after its semicolon. False when a quoted string has no end: no further offer can be read. */
static bool take_parameter(jz_text *rest, parameter *taken)
{
    *taken = (parameter){.name = take_token(rest)};
    taken->is_ill_formed = taken->name.length == 0;
    if (take_character(rest, '=')) {
        taken->has_value = true;
        if (take_character(rest, '"')) {
            if (!take_quoted_string(rest, taken))
                return false;
        } else {
            jz_text value = take_token(rest);
            taken->is_ill_formed = taken->is_ill_formed || value.length == 0;
            for (size_t i = 0; i < value.length; i++)
                append_to_value(taken, value.start[i]);
        }
    }
    skip_white_space(rest);
    while (rest->length > 0 && rest->start[0] != ';' && rest->start[0] != ',') {
        taken->is_ill_formed = true;
        jz_text_skip(rest, 1);
    }
    return true;
}

/* 8 to 15 without leading zeros (RFC 7692 §7.1.2); 0 for anything else. */
static uint8_t window_bits_of(const parameter *taken)
{
    if (taken->value_length == 1 && (taken->value[0] == '8' || taken->value[0] == '9'))
        return (uint8_t)(taken->value[0] - '0');
    if (taken->value_length == 2 && taken->value[0] == '1' && taken->value[1] >= '0' && taken->value[1] <= '5')
        return (uint8_t)(10 + taken->value[1] - '0');
    return 0;
}

static bool is_named(const parameter *taken, const char *name)
{
    return jz_text_equals_ignoring_case(taken->name, jz_text_of(name));
}

/* Sets a flag that may appear once and has no value. */
static bool apply_flag(const parameter *taken, bool *flag)
{
    bool is_legal = !taken->has_value && !*flag;
    *flag = true;
    return is_legal;
}

/*
 * Adds a parameter to the offer. False when the offer must be declined because of it (RFC 7692 §7.1, §7.1.1, §7.1.2).
 */
static bool apply(const parameter *taken, jz_deflate_offer *offer)
{
    if (taken->is_ill_formed)
        return false;
    if (is_named(taken, "server_no_context_takeover"))
        return apply_flag(taken, &offer->server_no_context_takeover);
    if (is_named(taken, "client_no_context_takeover"))
        return apply_flag(taken, &offer->client_no_context_takeover);
    if (is_named(taken, "server_max_window_bits")) {
        bool is_repeated = offer->server_max_window_bits != 0;
        offer->server_max_window_bits = window_bits_of(taken);
        return !is_repeated && offer->server_max_window_bits != 0;
    }
    if (is_named(taken, "client_max_window_bits")) {
        bool is_repeated = offer->has_client_max_window_bits;
        offer->has_client_max_window_bits = true;
        offer->client_max_window_bits = window_bits_of(taken);
        return !is_repeated && (!taken->has_value || offer->client_max_window_bits != 0);
    }
    return false;
}

jz_extension_result jz_extension_header_take(jz_text *rest, jz_deflate_offer *offer)
{
    /* Empty elements of a list are allowed and ignored (RFC 9110 §5.6.1.2). */
    while (take_character(rest, ','))
        continue;
    if (rest->length == 0)
        return JZ_EXTENSION_END;
    jz_text name = take_token(rest);
    if (name.length == 0)
        return JZ_EXTENSION_MALFORMED;
    bool is_acceptable = jz_text_equals_ignoring_case(name, jz_text_of("permessage-deflate"));
    *offer = (jz_deflate_offer){0};
    while (take_character(rest, ';')) {
        parameter taken;
        if (!take_parameter(rest, &taken))
            return JZ_EXTENSION_MALFORMED;
        is_acceptable = is_acceptable && apply(&taken, offer);
    }
    skip_white_space(rest);
    if (rest->length > 0 && rest->start[0] != ',')
        return JZ_EXTENSION_MALFORMED;
    return is_acceptable ? JZ_EXTENSION_DEFLATE : JZ_EXTENSION_DECLINED;
}
