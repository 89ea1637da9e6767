/* Which of several media types a client prefers. */
#include "codec/accept.h"

#include "support/testing.h"

static const struct {
    const char *accept;
    unsigned openmetrics;
    unsigned text;
} fields[] = {
    {"", 1000, 1000},
    {"*/*", 1000, 1000},
    {"text/*", 0, 1000},
    {"text/html", 0, 0},
    {"text/plain", 0, 1000},
    {"TEXT/Plain;Q=0.5", 0, 500},
    {"text/plain;q=0.123", 0, 123},
    {"text/plain;q=0.1239", 0, 123},
    {"text/plain;q=1.000", 0, 1000},
    {"text/plain;q=1.9", 0, 1000},
    {"text/plain;q=0", 0, 0},
    {"text/plain;q=", 0, 0},
    {"text/plain;q=x", 0, 0},
    {"text/plain;q=-1", 0, 0},
    {"text/plain; version=0.0.4; q=0.3", 0, 300},
    {"text/plain;version=1.0.0", 0, 0},
    {"text/plain;version=\"0.0.4\"", 0, 1000},
    {"*/*;q=0.1,text/plain;q=0.2", 100, 200},
    {"text/plain;q=0.2,*/*;q=0.9", 900, 200},
    {" , ,text/plain ,", 0, 1000},
    {"text", 0, 0},
    {"/", 0, 0},
    {"*/plain", 0, 0},
    {";q=1", 0, 0},
    {"application/openmetrics-text", 1000, 0},
    {"application/openmetrics-text;version=0.0.1", 0, 0},
    /* Prometheus 2.42 and 3.0, and a browser. */
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     1000, 500},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
     "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     600, 300},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 800, 800},
};

static void the_most_specific_range_says_how_much_a_type_is_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        jz_text accept = jz_text_of(fields[i].accept);
        unsigned openmetrics =
            jz_accept_quality(accept, jz_text_of("application"), jz_text_of("openmetrics-text"), jz_text_of("1.0.0"));
        unsigned text = jz_accept_quality(accept, jz_text_of("text"), jz_text_of("plain"), jz_text_of("0.0.4"));
        assert_that(openmetrics == fields[i].openmetrics && text == fields[i].text, "\"%s\": %u and %u",
                    fields[i].accept, openmetrics, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_most_specific_range_says_how_much_a_type_is_wanted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
