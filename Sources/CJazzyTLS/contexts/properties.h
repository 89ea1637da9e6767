/* What is known of a channel and of its peer. The function for channels is in contexts.h. */
#ifndef JAZZY_TLS_CONTEXTS_PROPERTIES_H
#define JAZZY_TLS_CONTEXTS_PROPERTIES_H

#include <stdbool.h>

/* Once, before the first SSL is made; again is no harm. False: no memory. */
bool jz_tls_properties_prepare(void);

#endif
