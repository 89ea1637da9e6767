/* What is in records and is no data: alerts, key updates, attempts at another handshake. */
#ifndef JAZZY_TLS_CHANNEL_MESSAGES_H
#define JAZZY_TLS_CHANNEL_MESSAGES_H

#include "channel/channel.h"
#include "records/records.h"

/*
 * A record that is no data. OK: reading goes on; ENDED; BROKEN: the peer was told by an alert, and the log is. Answers
 * are gathered.
 */
jz_io jz_tls_take_message(jz_tls_channel *channel, uint8_t type, const uint8_t *content, size_t length);

/* A record with data, or without. */
jz_io jz_tls_take_data(jz_tls_channel *channel, size_t length);

/* What was wrong with a record: tells the peer and the log. Returns BROKEN. */
jz_io jz_tls_refuse(jz_tls_channel *channel, jz_tls_fault fault);

/* Gathers a key update of our own, and goes on with the next key. False: that failed, and the channel is broken. */
bool jz_tls_renew_key(jz_tls_channel *channel);

/* Gathers an alert. */
void jz_tls_tell(jz_tls_channel *channel, jz_tls_alert alert);

#endif
