/*
 * channel/: the transport: handshakes, bytes in and out of records, what a loop shares among its channels. Not here:
 * certificates, options.
 */
#ifndef JAZZY_TLS_CHANNEL_CHANNEL_H
#define JAZZY_TLS_CHANNEL_CHANNEL_H

#endif
