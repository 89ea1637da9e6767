/* Metrics as text, in both formats. */
#include "server/exposition.h"

#include "support/allocation.h"
#include "support/testing.h"

static const jz_bounds bounds = {3, {1000, 2500000, 1000000000}};

#define LABEL(label_name, label_value)                                                                                 \
    {                                                                                                                  \
        (label_name),                                                                                                  \
        {                                                                                                              \
            (label_value), sizeof(label_value) - 1                                                                     \
        }                                                                                                              \
    }

static jz_exposition begin(jz_buffer *output, jz_exposition_format format)
{
    *output = (jz_buffer){0};
    return (jz_exposition){.output = output, .format = format};
}

static void expect(jz_exposition *exposition, const char *text)
{
    assert_true(jz_exposition_end(exposition));
    jz_buffer *output = exposition->output;
    assert_that(output->length == strlen(text) && memcmp(output->bytes, text, output->length) == 0,
                "\"%.*s\" instead of \"%s\"", (int)output->length, (const char *)output->bytes, text);
    jz_buffer_free(output);
}

static void write_one_of_each(jz_exposition *exposition)
{
    static const jz_label route = LABEL("route", "/chat");
    static const jz_label build[] = {LABEL("version", "1.2.3"), LABEL("compiler", "cc")};
    static const jz_distribution distribution = {{2, 0, 1, 4}, 17000000042};
    jz_exposition_begin(exposition, "a_bytes", JZ_METRIC_COUNTER, "Bytes of a.");
    jz_exposition_add(exposition, NULL, 0, UINT64_MAX);
    jz_exposition_begin(exposition, "b", JZ_METRIC_GAUGE, "Number of b.");
    jz_exposition_add(exposition, &route, 1, 0);
    jz_exposition_begin(exposition, "build", JZ_METRIC_INFO, "What runs.");
    jz_exposition_add(exposition, build, 2, 1);
    jz_exposition_begin(exposition, "c_seconds", JZ_METRIC_HISTOGRAM, "Time of c.");
    jz_exposition_add_histogram(exposition, &route, 1, &bounds, &distribution);
}

static void the_format_of_prometheus_has_suffixes_in_the_names_of_families(void **state)
{
    (void)state;
    jz_buffer output;
    jz_exposition exposition = begin(&output, JZ_FORMAT_PROMETHEUS);
    write_one_of_each(&exposition);
    expect(&exposition, "# HELP a_bytes_total Bytes of a.\n"
                        "# TYPE a_bytes_total counter\n"
                        "a_bytes_total 18446744073709551615\n"
                        "# HELP b Number of b.\n"
                        "# TYPE b gauge\n"
                        "b{route=\"/chat\"} 0\n"
                        "# HELP build_info What runs.\n"
                        "# TYPE build_info gauge\n"
                        "build_info{version=\"1.2.3\",compiler=\"cc\"} 1\n"
                        "# HELP c_seconds Time of c.\n"
                        "# TYPE c_seconds histogram\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"0.000001\"} 2\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"0.0025\"} 2\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"1.0\"} 3\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"+Inf\"} 7\n"
                        "c_seconds_sum{route=\"/chat\"} 17.000000042\n"
                        "c_seconds_count{route=\"/chat\"} 7\n");
}

static void openmetrics_has_units_an_end_and_suffixes_only_in_the_names_of_samples(void **state)
{
    (void)state;
    jz_buffer output;
    jz_exposition exposition = begin(&output, JZ_FORMAT_OPENMETRICS);
    write_one_of_each(&exposition);
    expect(&exposition, "# HELP a_bytes Bytes of a.\n"
                        "# TYPE a_bytes counter\n"
                        "# UNIT a_bytes bytes\n"
                        "a_bytes_total 18446744073709551615\n"
                        "# HELP b Number of b.\n"
                        "# TYPE b gauge\n"
                        "b{route=\"/chat\"} 0\n"
                        "# HELP build What runs.\n"
                        "# TYPE build info\n"
                        "build_info{version=\"1.2.3\",compiler=\"cc\"} 1\n"
                        "# HELP c_seconds Time of c.\n"
                        "# TYPE c_seconds histogram\n"
                        "# UNIT c_seconds seconds\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"0.000001\"} 2\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"0.0025\"} 2\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"1.0\"} 3\n"
                        "c_seconds_bucket{route=\"/chat\",le=\"+Inf\"} 7\n"
                        "c_seconds_sum{route=\"/chat\"} 17.000000042\n"
                        "c_seconds_count{route=\"/chat\"} 7\n"
                        "# EOF\n");
}

static void times_are_exact(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } times[] = {
        {0, "t_seconds 0.0\n"},
        {1, "t_seconds 0.000000001\n"},
        {999999999, "t_seconds 0.999999999\n"},
        {1000000000, "t_seconds 1.0\n"},
        {1500000000, "t_seconds 1.5\n"},
        {UINT64_MAX, "t_seconds 18446744073.709551615\n"},
    };
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        jz_buffer output;
        jz_exposition exposition = begin(&output, JZ_FORMAT_PROMETHEUS);
        jz_exposition_begin(&exposition, "t_seconds", JZ_METRIC_GAUGE, "");
        output.length = 0;
        jz_exposition_add(&exposition, NULL, 0, times[i].ns);
        expect(&exposition, times[i].text);
    }
}

static void timestamps_are_whole_seconds(void **state)
{
    (void)state;
    jz_buffer output;
    jz_exposition exposition = begin(&output, JZ_FORMAT_OPENMETRICS);
    jz_exposition_begin(&exposition, "t_timestamp_seconds", JZ_METRIC_GAUGE, "When.");
    jz_exposition_add(&exposition, NULL, 0, 253402300799);
    expect(&exposition, "# HELP t_timestamp_seconds When.\n"
                        "# TYPE t_timestamp_seconds gauge\n"
                        "# UNIT t_timestamp_seconds seconds\n"
                        "t_timestamp_seconds 253402300799\n"
                        "# EOF\n");
}

static void what_a_label_may_not_have_is_escaped_or_replaced(void **state)
{
    (void)state;
    static const struct {
        jz_label label;
        const char *text;
    } labels[] = {
        {LABEL("route", "/a\"b"), "g{route=\"/a\\\"b\"} 1\n"},
        {LABEL("route", "/a\\b"), "g{route=\"/a\\\\b\"} 1\n"},
        {LABEL("route", "/a\nb"), "g{route=\"/a\\nb\"} 1\n"},
        {LABEL("route", "\"\n\\"), "g{route=\"\\\"\\n\\\\\"} 1\n"},
        {LABEL("route", "/caf\xC3\xA9"), "g{route=\"/caf\xC3\xA9\"} 1\n"},
        {LABEL("route", "/caf\xE9"), "g{route=\"/caf?\"} 1\n"},
        {LABEL("route", ""), "g{route=\"\"} 1\n"},
    };
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        jz_buffer output;
        jz_exposition exposition = begin(&output, JZ_FORMAT_PROMETHEUS);
        jz_exposition_begin(&exposition, "g", JZ_METRIC_GAUGE, "");
        output.length = 0;
        jz_exposition_add(&exposition, &labels[i].label, 1, 1);
        expect(&exposition, labels[i].text);
    }
}

static void without_memory_the_text_is_known_to_be_incomplete(void **state)
{
    (void)state;
    for (size_t which = 0; which < 3; which++) {
        jz_buffer output;
        jz_exposition exposition = begin(&output, JZ_FORMAT_OPENMETRICS);
        test_allocation_fails_once_after(which);
        write_one_of_each(&exposition);
        bool is_complete = jz_exposition_end(&exposition);
        assert_int_equal(test_allocations_succeed(), 1);
        assert_false(is_complete);
        jz_buffer_free(&output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_format_of_prometheus_has_suffixes_in_the_names_of_families),
        cmocka_unit_test(openmetrics_has_units_an_end_and_suffixes_only_in_the_names_of_samples),
        cmocka_unit_test(times_are_exact),
        cmocka_unit_test(timestamps_are_whole_seconds),
        cmocka_unit_test(what_a_label_may_not_have_is_escaped_or_replaced),
        cmocka_unit_test(without_memory_the_text_is_known_to_be_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
