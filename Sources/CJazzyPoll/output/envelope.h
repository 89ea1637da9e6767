/*
 * What tells the messages of several topics apart on one connection, in JSON: a message's topic, its offset there, and
 * its payload (jazzy/history.h).
 */
#ifndef JAZZY_OUTPUT_ENVELOPE_H
#define JAZZY_OUTPUT_ENVELOPE_H

#include <stdint.h>

#include "codec/text.h"
#include "jazzy/history.h"
#include "output/publication.h"

/*
 * {"t":"<topic>","o":<offset>,"d":"<text>"}, or with "b":"<base64>" in place of "d" if it is binary. NULL when there is
 * no memory.
 */
jz_publication *jz_envelope_create(jz_text topic, uint64_t offset, const jz_publication *publication,
                                   jz_compression compression);

/*
 * How a subscription begins: {"epoch":"<epoch>","offset":<offset>,"recovered":<bool>,"count":<count>}, and with a
 * topic, which may be NULL, "t":"<topic>" before these. NULL when there is no memory.
 */
jz_publication *jz_envelope_announce(const jz_text *topic, const jz_subscribed *begins);

#endif
