#include "report.h"

#include <stdio.h>

static void describe_goal(const row *row, char *text, size_t size)
{
    text[0] = '\0';
    switch (row->goal.kind) {
    case GOAL_NANOSECONDS:
        snprintf(text, size, "<= %g ns", row->goal.value);
        break;
    case GOAL_GIGABYTES:
        snprintf(text, size, ">= %g GB/s", row->goal.value);
        break;
    case GOAL_OF_MEMCPY:
        snprintf(text, size, ">= %g x memcpy", row->goal.value);
        break;
    case GOAL_NONE:
        break;
    }
}

void report_text(const table *table)
{
    printf("%-44s %11s %11s %8s %7s  %s\n", "", "ns", "minimum", "GB/s", "spread", "goal");
    for (size_t i = 0; i < table->count; i++) {
        const row *row = &table->rows[i];
        char rate[16] = "";
        char goal[32];
        if (row->bytes > 0)
            snprintf(rate, sizeof rate, "%.2f", row_gigabytes_per_second(table, row));
        describe_goal(row, goal, sizeof goal);
        const char *verdict = row->goal.kind == GOAL_NONE ? "" : goal_is_met(table, row) ? " met" : " NOT MET";
        const char *gap = goal[0] != '\0' && row->note[0] != '\0' ? "; " : "";
        printf("%-44s %11.2f %11.2f %8s %5.1f %%  %s%s%s%s\n", row->name, row_median(table, row), row->nanoseconds[0],
               rate, row_spread(table, row) * 100, goal, verdict, gap, row->note);
    }
}

/* Names, goals and notes have nothing in them that JSON would want escaped. */
static void print_text_or_null(const char *key, const char *text)
{
    if (text[0] != '\0')
        printf(", \"%s\": \"%s\"", key, text);
    else
        printf(", \"%s\": null", key);
}

/* The goal as numbers, and what the rounds of it said. */
static void print_goal(const table *table, const row *row)
{
    static const char *const units[] = {
        [GOAL_NANOSECONDS] = "\"ns\"", [GOAL_GIGABYTES] = "\"GB/s\"", [GOAL_OF_MEMCPY] = "\"memcpy\""};
    if (row->goal.kind == GOAL_NONE)
        return;
    printf(", \"limit\": %g, \"limit_of\": %s, \"readings_ns\": [", row->goal.value, units[row->goal.kind]);
    for (size_t i = 0; i < table->repetitions; i++)
        printf("%s%.3f", i > 0 ? ", " : "", row->nanoseconds[i]);
    printf("]");
}

void report_json(const table *table)
{
    printf("{\"rows\": [");
    for (size_t i = 0; i < table->count; i++) {
        const row *row = &table->rows[i];
        char goal[32];
        describe_goal(row, goal, sizeof goal);
        printf("%s\n  {\"name\": \"%s\", \"bytes\": %zu, \"ns\": %.3f, \"minimum_ns\": %.3f", i > 0 ? "," : "",
               row->name, row->bytes, row_median(table, row), row->nanoseconds[0]);
        if (row->bytes > 0)
            printf(", \"gigabytes_per_second\": %.3f", row_gigabytes_per_second(table, row));
        else
            printf(", \"gigabytes_per_second\": null");
        printf(", \"spread\": %.4f", row_spread(table, row));
        print_text_or_null("goal", goal);
        printf(", \"met\": %s", row->goal.kind == GOAL_NONE ? "null" : goal_is_met(table, row) ? "true" : "false");
        print_goal(table, row);
        print_text_or_null("note", row->note);
        printf("}");
    }
    printf("\n]}\n");
}
