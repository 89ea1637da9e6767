/*
 * compare.py runs this with valgrind to count instructions: a number of iterations of a scenario, without any clock.
 *
 *     bench-instructions SCENARIO TURNS
 *     bench-instructions --list    the version of zlib, then each scenario and how many messages a turn of it handles
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "scenario.h"
#include "served.h"

static int list(void)
{
    printf("zlib %s\n", zlibVersion());
    for (size_t i = 0; i < scenario_count; i++)
        printf("%s %zu\n", scenarios[i].name, scenarios[i].messages);
    for (size_t i = 0; i < served_scenario_count; i++)
        printf("%s %zu\n", served_scenarios[i].name, served_scenarios[i].messages);
    return 0;
}

static const scenario *find(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    fprintf(stderr, "bench-instructions: there is no scenario %s; --list shows those that there are\n", name);
    exit(2);
}

static const served_scenario *find_served(const char *name)
{
    for (size_t i = 0; i < served_scenario_count; i++) {
        if (strcmp(served_scenarios[i].name, name) == 0)
            return &served_scenarios[i];
    }
    return NULL;
}

static unsigned long turns_of(const char *value)
{
    char *end;
    unsigned long turns = strtoul(value, &end, 10);
    if (end == value || *end != '\0' || value[0] == '-' || turns > 1000000) {
        fprintf(stderr, "bench-instructions: TURNS is a number from 0 to 1000000, not %s\n", value);
        exit(2);
    }
    return turns;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--list") == 0)
        return list();
    if (count != 3) {
        fprintf(stderr, "usage: bench-instructions SCENARIO TURNS, or bench-instructions --list\n");
        return 2;
    }
    unsigned long turns = turns_of(arguments[2]);
    const served_scenario *served = find_served(arguments[1]);
    if (served != NULL)
        serve(served, turns);
    const scenario *scenario = find(arguments[1]);
    scenario->prepare(scenario);
    for (unsigned long i = 0; i < turns; i++)
        scenario->turn();
    return 0;
}
