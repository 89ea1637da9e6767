/*
 * Handshakes with ourselves, in memory: whether what is noted of them is what this OpenSSL uses, however it derives it.
 */
#ifndef JAZZY_TLS_CONTEXTS_TRIAL_H
#define JAZZY_TLS_CONTEXTS_TRIAL_H

#include "records/library.h"

/*
 * One handshake of each version. It also fails if something of the library is missing. The error queue may have entries
 * afterwards.
 */
bool jz_tls_trial_succeeds(const jz_tls_library *library);

#endif
