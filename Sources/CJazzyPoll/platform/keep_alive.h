/* Probes of the kernel to a TCP peer that says nothing. */
#ifndef JAZZY_PLATFORM_KEEP_ALIVE_H
#define JAZZY_PLATFORM_KEEP_ALIVE_H

/* After `idle` seconds of silence it probes `probes` times, every `interval` seconds, and then ends the connection. */
void jz_socket_keep_alive(int descriptor, int idle, int interval, int probes);

#endif
