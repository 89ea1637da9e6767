#include "measurement.h"

#include <stdio.h>
#include <string.h>

#include "process.h"

/* From here on a program is as busy as one core lets it be. */
static const double whole_core = 0.95;

void measurement_begin(measurement *measurement, const settings *settings)
{
    memset(measurement, 0, sizeof *measurement);
    measurement->settings = settings;
    measurement->server_cpu_ns = settings->server != 0 ? process_cpu_ns(settings->server) : 0;
    measurement->own_cpu_ns = own_cpu_ns();
    measurement->began_ns = clock_ns();
}

void measurement_end(measurement *measurement)
{
    measurement->ns = clock_ns() - measurement->began_ns;
    measurement->own_cpu_ns = own_cpu_ns() - measurement->own_cpu_ns;
    if (measurement->settings->server != 0)
        measurement->server_cpu_ns = process_cpu_ns(measurement->settings->server) - measurement->server_cpu_ns;
}

static void print_settings(const settings *settings)
{
    printf("\"workload\":\"%s\",\"connections\":%zu,\"size\":%zu,\"depth\":%zu,\"payload\":\"%s\",\"deflate\":%s,"
           "\"idle\":%zu,\"burst\":%zu,\"tls\":\"%s\",\"resume\":%s,\"apart\":%s,\"handshakes\":%zu,"
           "\"rate\":%zu,\"large\":%zu,\"connects\":%zu,\"slow\":\"%s\",\"page\":\"%s\",",
           workload_name(settings->workload), settings->connections, settings->size, settings->depth,
           payload_name(settings->payload), settings->uses_deflate ? "true" : "false", settings->idle, settings->burst,
           tls_name(settings->tls), settings->resumes ? "true" : "false", settings->sends_apart ? "true" : "false",
           settings->handshakes, settings->rate, settings->large, settings->connects,
           settings->slow != NULL ? settings->slow : "", settings->page != NULL ? settings->page : "");
}

static void print_times(const char *name, const histogram *latencies)
{
    const double quantiles[] = {0.5, 0.99, 0.999};
    const char *const names[] = {"p50", "p99", "p99.9"};
    printf("\"%s\":{", name);
    for (size_t i = 0; i < 3; i++)
        printf("\"%s\":%.1f,", names[i], (double)histogram_quantile(latencies, quantiles[i]) / 1e3);
    printf("\"max\":%.1f},", (double)latencies->maximum / 1e3);
}

/* The client's CPU share shows whether the server or the client was the limit. */
static void print_cpu(const measurement *measurement)
{
    double messages = measurement->messages > 0 ? (double)measurement->messages : 1;
    double server_share = (double)measurement->server_cpu_ns / (double)measurement->ns;
    uint64_t own_ns = measurement->own_cpu_ns - measurement->own_idle_ns;
    double client_share = (double)own_ns / (double)measurement->ns;
    bool has_server = measurement->settings->server != 0;
    if (has_server)
        printf("\"server_cpu_us_per_message\":%.4f,\"server_cpu_share\":%.3f,",
               (double)measurement->server_cpu_ns / messages / 1e3, server_share);
    else
        printf("\"server_cpu_us_per_message\":null,\"server_cpu_share\":null,");
    /* Who sends by the clock looks at it all the time. */
    bool client_is_the_limit = measurement->settings->workload != WORKLOAD_TAILS && client_share > whole_core &&
                               !(has_server && server_share > whole_core);
    printf("\"client_cpu_us_per_message\":%.4f,\"client_cpu_share\":%.3f,\"client_is_the_limit\":%s,",
           (double)own_ns / messages / 1e3, client_share, client_is_the_limit ? "true" : "false");
    if (client_is_the_limit)
        fprintf(stderr,
                "bench-load: this client used a whole core (%.0f %%) and the server did not: the rate is the "
                "client's\n",
                client_share * 100);
}

static void print_memory(const memory_reading *memory, size_t connections)
{
    if (memory == NULL) {
        printf("\"memory_bytes\":null");
        return;
    }
    printf("\"memory_bytes\":{\"before\":%llu,\"with_connections\":%llu,\"after_burst\":%llu,\"after_close\":%llu,"
           "\"per_connection\":%.1f}",
           (unsigned long long)memory->before, (unsigned long long)memory->with_connections,
           (unsigned long long)memory->after_burst, (unsigned long long)memory->after_close,
           ((double)memory->with_connections - (double)memory->before) / (double)connections);
}

void measurement_print(const measurement *measurement)
{
    double seconds = (double)measurement->ns / 1e9;
    double messages = (double)measurement->messages;
    printf("{");
    print_settings(measurement->settings);
    printf("\"seconds\":%.4f,\"messages\":%.0f,\"messages_per_second\":%.1f,", seconds, messages, messages / seconds);
    print_times("latency_us", &measurement->latencies);
    print_times("lateness_us", &measurement->lateness);
    print_cpu(measurement);
    printf("\"handshakes_per_second\":%.1f,", (double)measurement->handshakes / seconds);
    printf("\"received_bytes_per_message\":%.1f,", messages > 0 ? (double)measurement->received / messages : 0.0);
    print_memory(measurement->memory, measurement->settings->connections);
    printf("}\n");
}
