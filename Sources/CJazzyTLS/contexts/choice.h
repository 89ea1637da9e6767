/*
 * Which of OpenSSL's library contexts a server's TLS works in.
 *
 * Usually one of our own, which nobody else has a handle of: what is noted there (noting.h) stays noted, whatever an
 * application does later to the default context, to that of a thread, or to their providers. But where it has chosen
 * something else than OpenSSL's default provider before, as a validated module, that is respected: TLS works in the
 * application's context then, and secrets are read from lines (secrets.h).
 */
#ifndef JAZZY_TLS_CONTEXTS_CHOICE_H
#define JAZZY_TLS_CONTEXTS_CHOICE_H

#include "records/library.h"

/*
 * From any thread, whose context counts. It is either our own, which is never freed, or `of_application`, to be
 * forgotten in any case. NULL: no memory, or something is missing; the error queue has entries then.
 */
const jz_tls_library *jz_tls_choose_library(jz_tls_library *of_application);

#endif
