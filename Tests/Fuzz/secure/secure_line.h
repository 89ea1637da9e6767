/* TLS between the peers of a play and their sockets. */
#ifndef JAZZY_FUZZ_SECURE_LINE_H
#define JAZZY_FUZZ_SECURE_LINE_H

#include "../server/play.h"
#include "jazzy/tls.h"

extern const play_line secure_line;

/* Called once, before OpenSSL allocates anything: the server's side, with a certificate. */
jz_tls *secure_begin(void);

/* Chance is the same in every run, so that an input shows the same each time. */
void secure_begin_anew(void);

void secure_forget_sessions(void);

#endif
