#include "codec/accept.h"

#include <stdbool.h>

/* How specific a range is that matches; NO_MATCH: it does not. */
enum { NO_MATCH = -1, ANYTHING, ANY_SUBTYPE, THIS_TYPE, THIS_VERSION };

static int match_type(jz_text range, jz_text type, jz_text subtype)
{
    jz_text main;
    if (!jz_text_take_until(&range, '/', &main))
        return NO_MATCH;
    bool is_any_subtype = jz_text_equals(range, jz_text_of("*"));
    if (jz_text_equals(main, jz_text_of("*")))
        return is_any_subtype ? ANYTHING : NO_MATCH;
    if (!jz_text_equals_ignoring_case(main, type))
        return NO_MATCH;
    if (is_any_subtype)
        return ANY_SUBTYPE;
    return jz_text_equals_ignoring_case(range, subtype) ? THIS_TYPE : NO_MATCH;
}

unsigned jz_quality_of(jz_text value)
{
    if (value.length == 0 || (value.start[0] != '0' && value.start[0] != '1'))
        return 0;
    unsigned quality = value.start[0] == '1' ? JZ_MOST_QUALITY : 0;
    unsigned worth = 100;
    for (size_t i = 2; i < value.length && worth > 0 && quality < JZ_MOST_QUALITY; i++, worth /= 10) {
        if (value.start[i] < '0' || value.start[i] > '9')
            break;
        quality += (unsigned)(value.start[i] - '0') * worth;
    }
    return quality;
}

static jz_text unquote(jz_text value)
{
    bool is_quoted = value.length >= 2 && value.start[0] == '"' && value.start[value.length - 1] == '"';
    return is_quoted ? (jz_text){value.start + 1, value.length - 2} : value;
}

/* Matches one range with its parameters. */
static int match(jz_text element, jz_text type, jz_text subtype, jz_text version, unsigned *quality)
{
    jz_text parameter;
    *quality = JZ_MOST_QUALITY;
    if (!jz_text_take_piece(&element, ';', &parameter))
        return NO_MATCH;
    int matched = match_type(jz_text_trim(parameter), type, subtype);
    while (matched != NO_MATCH && jz_text_take_piece(&element, ';', &parameter)) {
        jz_text name;
        if (!jz_text_take_until(&parameter, '=', &name))
            continue;
        name = jz_text_trim(name);
        jz_text value = unquote(jz_text_trim(parameter));
        if (jz_text_equals_ignoring_case(name, jz_text_of("q")))
            *quality = jz_quality_of(value);
        else if (jz_text_equals_ignoring_case(name, jz_text_of("version")))
            matched = jz_text_equals(value, version) ? THIS_VERSION : NO_MATCH;
    }
    return matched;
}

unsigned jz_accept_quality(jz_text accept, jz_text type, jz_text subtype, jz_text version)
{
    unsigned chosen = accept.length == 0 ? JZ_MOST_QUALITY : 0;
    int best = NO_MATCH;
    jz_text element;
    while (jz_text_take_piece(&accept, ',', &element)) {
        unsigned quality;
        int matched = match(element, type, subtype, version, &quality);
        if (matched > best || (matched == best && matched != NO_MATCH && quality > chosen)) {
            best = matched;
            chosen = quality;
        }
    }
    return chosen;
}
