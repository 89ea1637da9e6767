/*
 * Handshakes with ourselves, in memory: whether what is noted of them is what this OpenSSL uses, however it derives it.
 */
#ifndef JAZZY_TLS_CONTEXTS_TRIAL_H
#define JAZZY_TLS_CONTEXTS_TRIAL_H

#include "records/library.h"

/* One handshake of each version. The error queue may have entries afterwards. */
bool jz_tls_trial_succeeds(const jz_tls_library *library);

#endif
