/*
 * The routes of the probe server of Redis for members of topics.
 *
 * /members takes commands, as texts; topics and keys are words, which are told as they are if they have only letters,
 * digits, "-", "_", "." and "/", and all other bytes as "%" and two hexadecimal digits:
 *     join TOPIC KEY [INFO]    the connection is a member; "!sent", "!queued", "!closed" or "!dropped" and why
 *     leave TOPIC              "!done TOPIC"
 *     members TOPIC            "!members COUNT", and a line "KEY INFO" for each
 *     watch TOPIC              "!done TOPIC", and from then on, for each change, "change TOPIC COUNT", a line "+KEY
 * INFO" for each who has joined, and "-KEY INFO" for each who has left watch-prefix PREFIX      the same of all topics
 * that begin with it statistics               "!" and JSON A connection has one watch, until it ends.
 *
 * /join/:topic/:key is a member from its opening on, without a word.
 */
#ifndef REDIS_PROBE_MEMBERS_H
#define REDIS_PROBE_MEMBERS_H

#include <jazzy.h>

jz_status probe_register_member_routes(jz_server *server, jz_error *error);

#endif
