/*
 * The load that servers are measured under, and the measuring: messages per second, latency, the server's CPU time and
 * memory by its pid, and this program's own CPU time, so that it is never the bottleneck unseen. One thread; one JSON
 * object on standard output. settings.c has the usage.
 */
#include "settings.h"
#include "tls_client.h"
#include "workloads.h"

int main(int count, char **arguments)
{
    static void (*const runs[])(const settings *) = {
        [WORKLOAD_ECHO] = run_echo,       [WORKLOAD_FAN_OUT] = run_fan_out,     [WORKLOAD_IDLE] = run_idle,
        [WORKLOAD_CONNECT] = run_connect, [WORKLOAD_HANDSHAKE] = run_handshake, [WORKLOAD_TAILS] = run_tails};
    settings settings = settings_of(count, arguments);
    if (settings.tls != TLS_NONE)
        tls_prepare(&settings);
    runs[settings.workload](&settings);
    return 0;
}
