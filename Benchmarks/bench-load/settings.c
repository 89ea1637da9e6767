#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: bench-load echo|fan-out|idle|connect|handshake|tails --port N [--ports COUNT] [--pid PID] [--path PATH]\n"
    "                  [--connections N] [--warm-up SECONDS] [--seconds SECONDS] [--tls 1.2|1.3 [--resume]]\n"
    "       echo:      [--size BYTES] [--depth N] [--payload binary|ascii|russian|chinese|emoji|json] [--deflate]\n"
    "                  [--idle N] [--apart], each message in a TLS record of its own\n"
    "                  [--handshakes N], TLS handshakes a second of others meanwhile\n"
    "       fan-out:   [--size BYTES] [--burst N], of which --connections are the subscribers\n"
    "       idle:      [--size BYTES] of a message that each connection has echoed before it idles again\n"
    "                  [--payload KIND] [--deflate], with context takeover\n"
    "       connect:   --connections at a time; without TLS\n"
    "       handshake: --connections at a time, that leave when their handshakes, of TLS and HTTP, are done\n"
    "       tails:     --rate N [--size BYTES], messages a second by the clock; latency is from when each was due;\n"
    "                  [--large BYTES], of messages that one more connection has echoed meanwhile\n"
    "                  [--connects N], others that connect in a second\n"
    "                  [--slow PATH], to which a message goes each 100 ms\n"
    "                  [--page PATH], which is asked for each 100 ms; without TLS\n";

static const char *const workload_names[] = {
    [WORKLOAD_ECHO] = "echo",       [WORKLOAD_FAN_OUT] = "fan-out",     [WORKLOAD_IDLE] = "idle",
    [WORKLOAD_CONNECT] = "connect", [WORKLOAD_HANDSHAKE] = "handshake", [WORKLOAD_TAILS] = "tails",
};
static const char *const tls_names[] = {[TLS_NONE] = "none", [TLS_1_2] = "1.2", [TLS_1_3] = "1.3"};

enum { WORKLOADS = sizeof workload_names / sizeof *workload_names };

const char *workload_name(workload workload)
{
    return workload_names[workload];
}

const char *tls_name(tls_version version)
{
    return tls_names[version];
}

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "bench-load: %s%s%s\n%s", what, value != NULL ? " " : "", value != NULL ? value : "", usage);
    exit(2);
}

static size_t number_of(const char *flag, const char *value, size_t lowest, size_t highest)
{
    char *end = NULL;
    unsigned long long number = value != NULL ? strtoull(value, &end, 10) : 0;
    if (value == NULL || end == value || *end != '\0' || value[0] == '-' || number < lowest || number > highest) {
        char what[128];
        snprintf(what, sizeof what, "%s takes a number from %zu to %zu, not", flag, lowest, highest);
        refuse(what, value != NULL ? value : "nothing");
    }
    return (size_t)number;
}

static double seconds_of(const char *flag, const char *value)
{
    char *end = NULL;
    double seconds = value != NULL ? strtod(value, &end) : 0;
    if (value == NULL || end == value || *end != '\0' || !(seconds >= 0.01 && seconds <= 600)) {
        char what[128];
        snprintf(what, sizeof what, "%s takes seconds from 0.01 to 600, not", flag);
        refuse(what, value != NULL ? value : "nothing");
    }
    return seconds;
}

static tls_version tls_of(const char *value)
{
    for (int version = TLS_1_2; value != NULL && version <= TLS_1_3; version++) {
        if (strcmp(value, tls_names[version]) == 0)
            return (tls_version)version;
    }
    refuse("--tls takes 1.2 or 1.3, not", value != NULL ? value : "nothing");
}

/* Flags without a value. Returns whether it is one of them. */
static bool take_switch(settings *settings, const char *flag)
{
    if (strcmp(flag, "--deflate") == 0)
        settings->uses_deflate = true;
    else if (strcmp(flag, "--resume") == 0)
        settings->resumes = true;
    else if (strcmp(flag, "--apart") == 0)
        settings->sends_apart = true;
    else
        return false;
    return true;
}

/* The flags of tails. Returns whether it is one of them. */
static bool take_flag_of_tails(settings *settings, const char *flag, const char *value)
{
    if (strcmp(flag, "--rate") == 0)
        settings->rate = number_of(flag, value, 1, 10 * 1000 * 1000);
    else if (strcmp(flag, "--large") == 0)
        settings->large = number_of(flag, value, 1, 16 * 1024 * 1024);
    else if (strcmp(flag, "--connects") == 0)
        settings->connects = number_of(flag, value, 1, 100000);
    else if (strcmp(flag, "--slow") == 0 && value != NULL && value[0] == '/')
        settings->slow = value;
    else if (strcmp(flag, "--page") == 0 && value != NULL && value[0] == '/')
        settings->page = value;
    else
        return false;
    return true;
}

/* Flags with a value. Returns whether it is one of them. */
static bool take_flag(settings *settings, const char *flag, const char *value)
{
    if (strcmp(flag, "--port") == 0)
        settings->port = (uint16_t)number_of(flag, value, 1, 65535);
    else if (strcmp(flag, "--ports") == 0)
        settings->ports = number_of(flag, value, 1, 64);
    else if (strcmp(flag, "--pid") == 0)
        settings->server = (pid_t)number_of(flag, value, 1, INT32_MAX);
    else if (strcmp(flag, "--path") == 0 && value != NULL && value[0] == '/')
        settings->path = value;
    else if (strcmp(flag, "--connections") == 0)
        settings->connections = number_of(flag, value, 1, 60000);
    else if (strcmp(flag, "--size") == 0)
        settings->size = number_of(flag, value, 0, 16 * 1024 * 1024);
    else if (strcmp(flag, "--depth") == 0)
        settings->depth = number_of(flag, value, 1, 1024);
    else if (strcmp(flag, "--burst") == 0)
        settings->burst = number_of(flag, value, 1, 1024);
    else if (strcmp(flag, "--idle") == 0)
        settings->idle = number_of(flag, value, 0, 60000);
    else if (strcmp(flag, "--warm-up") == 0)
        settings->warm_up = seconds_of(flag, value);
    else if (strcmp(flag, "--seconds") == 0)
        settings->seconds = seconds_of(flag, value);
    else if (strcmp(flag, "--handshakes") == 0)
        settings->handshakes = number_of(flag, value, 0, 100000);
    else if (strcmp(flag, "--tls") == 0)
        settings->tls = tls_of(value);
    else if (strcmp(flag, "--payload") == 0 && value != NULL)
        return payload_kind_of(value, &settings->payload);
    else
        return false;
    return true;
}

settings settings_of(int count, char **arguments)
{
    settings settings = {
        .connections = 64, .size = 20, .depth = 1, .burst = 1, .ports = 1, .warm_up = 0.5, .seconds = 2};
    unsigned workload = 0;
    while (count > 1 && workload < WORKLOADS && strcmp(arguments[1], workload_names[workload]) != 0)
        workload++;
    if (count < 2 || workload == WORKLOADS)
        refuse("the first argument is the workload, not", count < 2 ? "nothing" : arguments[1]);
    settings.workload = (enum workload)workload;
    if (settings.workload == WORKLOAD_IDLE)
        settings.size = 0;
    for (int i = 2; i < count; i++) {
        if (take_switch(&settings, arguments[i]))
            continue;
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (take_flag(&settings, arguments[i], value) || take_flag_of_tails(&settings, arguments[i], value))
            i++;
        else
            refuse("what is", arguments[i]);
    }
    if (settings.port == 0)
        refuse("--port is missing", NULL);
    bool needs_tls =
        settings.resumes || settings.sends_apart || settings.handshakes > 0 || settings.workload == WORKLOAD_HANDSHAKE;
    if (needs_tls && settings.tls == TLS_NONE)
        refuse("handshake, --resume, --apart and --handshakes need --tls", NULL);
    if (settings.workload == WORKLOAD_CONNECT && settings.tls != TLS_NONE)
        refuse("connect is without TLS: with it there is handshake", NULL);
    bool is_of_tails = settings.rate > 0 || settings.large > 0 || settings.connects > 0 || settings.slow != NULL ||
                       settings.page != NULL;
    if (is_of_tails != (settings.workload == WORKLOAD_TAILS) || (is_of_tails && settings.rate == 0))
        refuse("tails needs --rate, and nothing else takes its flags", NULL);
    if (is_of_tails && settings.tls != TLS_NONE)
        refuse("tails is without TLS", NULL);
    if (settings.sends_apart && settings.uses_deflate)
        refuse("--apart does not go with --deflate", NULL);
    if (settings.path == NULL)
        settings.path = settings.workload == WORKLOAD_FAN_OUT ? "/fan" : "/echo";
    return settings;
}
