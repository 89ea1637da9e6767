/*
 * Presence: who is there. A connection that subscribes to a topic as a member (jz_ws_subscribe_as) is among the members
 * of that topic until it unsubscribes or ends, however it ends. Everybody can see who the members are
 * (jz_server_members), and is told who has come and who has left (jz_server_on_presence).
 *
 * How it works
 *   - A member has a key, which says who it is, and an info, bytes that mean nothing to the server: a name, a colour, a
 *     JSON document. Connections with the same key are one member of a topic: it comes with the first of them and
 *     leaves with the last. A connection without a key is a member of its own, and the server makes it a key.
 *   - Of one member the info counts that was given last. If that is another than what was told, the member is told as
 *     joined once more: who keeps a list replaces what it has under that key.
 *   - Changes are told together, about 250 ms after the first of them (up to one tick of 50 ms later), and up to 4,096
 *     in one call: N members who come at the same time cost N, not N times N.
 *   - What cancels out meanwhile is not told: a client that loses its connection and is back at once has not left.
 *
 * On several servers
 *   - Where a broker joins servers (jazzy/broker.h), whichever it is, members are those of all of them. Otherwise they
 *     are those of this server, in this process.
 *   - A server knows the members elsewhere of those topics that it is interested in: a topic that has members here, or
 *     is watched by its whole name, and for 60 seconds a topic that was asked for (jz_server_members,
 *     jz_server_member_count) or was one of these. When it gets interested it asks the others, whose members come
 *     within a moment and are told as joined: the first answer about a topic that was of no interest has the members
 *     here only. Who watches a prefix is told of the topics with it that this server is interested in.
 *   - What changes on one server is told to the others all together, 250 ms after the first of it, and then told
 *     there: N members who come at the same time cost N, not N times N, everywhere.
 *   - A member with the same key on several servers is one member: it is told as joined with the first of them and as
 *     left with the last. Of its infos the one counts that was given last: certainly so where its server knew of the
 *     others, else as far as the servers' clocks agree; in any case it is the same one everywhere. Keys that servers
 *     make are not made twice.
 *   - Servers, not members, send heartbeats: one message every 3 seconds to all servers, while there is a topic of
 *     interest. If nothing is heard of a server for 12 seconds, its members leave here; if it is heard again, they come
 *     back. A server that stops says so. So who is left over from a crash is gone within 15 seconds.
 *   - A broker that is lost takes nothing away by itself: the members elsewhere leave after the same 12 seconds.
 *   - All goes through the broker's `publish` and `subscribe`, on topics that applications do not see (see
 *     jazzy/broker.h), so that nothing is kept there. Whoever can publish there can tell of members, too.
 *   - Members elsewhere take room of jz_options.presence_limit, up to three quarters of it, and count for
 *     jz_options.max_members. What there is no room for is left out, counted (jz_presence_statistics), and logged once.
 *
 * Plain subscriptions, and messages to anybody, cost what they do without it.
 */
#ifndef JAZZY_PRESENCE_H
#define JAZZY_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "server.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* The longest key of a member, in bytes. */
#define JZ_MAX_MEMBER_KEY 256

/* A member of a topic. Neither text ends with NUL; both may be NULL if their length is 0. */
typedef struct jz_member {
    const char *key; /* who it is, any bytes; empty for jz_ws_subscribe_as: the server makes one of 32 characters */
    size_t key_length;
    const void *info;
    size_t info_length;
} jz_member;

/*
 * Subscribes a connection to a topic as a member. If it has subscribed already, in whichever way, it stays so, and is a
 * member from now on; if it is a member already, this is its new info, and its new key. jz_ws_unsubscribe ends both.
 * The member is copied; NULL has neither key nor info.
 *
 * SENT: done. QUEUED: the connection is counted as a member at once, and its subscription is on its way to its loop; if
 * there is no memory there, the connection fails. DROPPED: nothing was done, and `error`, which may be NULL, says why:
 *
 *   INVALID_OPTION   the key is longer than JZ_MAX_MEMBER_KEY, or the info than jz_options.max_member_info
 *   LIMIT_REACHED    the topic has jz_options.max_members, or all members together take jz_options.presence_limit, or
 *                    the mailbox of the connection's loop is full
 *   OUT_OF_MEMORY
 *
 * CLOSED: the connection is closing or gone.
 */
JZ_PUBLIC jz_send_status jz_ws_subscribe_as(jz_ws ws, const char *topic, size_t length, const jz_member *member,
                                            jz_error *error);

/* How many members a topic has now, as far as it is known here. From any thread. */
JZ_PUBLIC size_t jz_server_member_count(jz_server *server, const char *topic, size_t topic_length);

/*
 * Calls `visit` once for each member that a topic has now, before this returns, in the order in which they have come
 * or, if they are on other servers, were heard of. They are those of one moment. No lock is held; what `visit` is
 * passed is valid until it returns. From any thread. It takes a time in proportion to their number: do not call it
 * whenever somebody comes, but see jz_server_on_presence. OUT_OF_MEMORY: nobody was visited.
 */
JZ_PUBLIC jz_status jz_server_members(jz_server *server, const char *topic, size_t topic_length,
                                      void (*visit)(void *context, const jz_member *member), void *context,
                                      jz_error *error);

/* What has changed in a topic since it was told last. */
typedef struct jz_presence_change {
    const char *topic;
    size_t topic_length;
    const jz_member *joined; /* who has come, or has another info */
    size_t joined_count;
    const jz_member *left; /* who has gone, with the info that was told last */
    size_t left_count;
    size_t member_count; /* all that are there with this change */
} jz_presence_change;

/* Who is told of changes. */
typedef struct jz_presence_watch {
    const char *topic; /* copied */
    size_t topic_length;
    bool is_prefix; /* all topics that begin with it; else this topic */

    /*
     * Called with the changes of one topic, never if there are none, on the thread of the server that is for this
     * alone: one call at a time, in the order of the changes. No lock is held, and no loop waits for it: it may take
     * its time, and may block. What has changed meanwhile is told together afterwards. What it is passed is valid
     * until it returns. It may call every function of this library, but not wait for the end of its server.
     */
    void (*changed)(void *context, const jz_presence_change *change);

    /* Optional: called once, when `changed` is not called any more and `context` may be freed. On any thread. */
    void (*released)(void *context);
    void *context;
} jz_presence_watch;

/* The prefixes that can be watched at the same time. */
#define JZ_MAX_WATCHED_PREFIXES 64

/*
 * Tells of the changes of a topic, or of all topics with a prefix. What is told first, for each topic, is who is there
 * already, as joined: so what is told adds up to the members at any time. Before the server runs, or while it does;
 * when the server ends, all members leave here, wherever they are, and that is told last. Fills in a number, unless
 * `number` is NULL, by which it is ended.
 *
 *   INVALID_OPTION   `changed` is NULL
 *   INVALID_STATE    the server has ended
 *   LIMIT_REACHED    JZ_MAX_WATCHED_PREFIXES are watched
 *   OUT_OF_MEMORY, SYSTEM: the thread could not be started
 *
 * If it fails, `released` is not called. From any thread.
 */
JZ_PUBLIC jz_status jz_server_on_presence(jz_server *server, const jz_presence_watch *watch, uint64_t *number,
                                          jz_error *error);

/*
 * Ends that. A call that has begun on another thread, or is about to, may still go on when this returns; `released` is
 * called behind it. A number that there is not, or not any more, does nothing. From any thread, also in `changed`.
 */
JZ_PUBLIC void jz_server_off_presence(jz_server *server, uint64_t number);

/* What presence takes now. */
typedef struct jz_presence_statistics {
    uint64_t topics;  /* that have members */
    uint64_t members; /* of all of them, wherever they are; of topics that are of no interest here only those here */
    uint64_t bytes;   /* that all this takes, of jz_options.presence_limit */

    /* Where a broker joins servers; otherwise 0. */
    uint64_t servers;           /* others that were heard of lately and have, or had, members of topics of interest */
    uint64_t members_elsewhere; /* that these have: once for each server and topic */
    uint64_t not_kept;          /* how often one of these, or a message about them, found no room or memory */
    uint64_t malformed;         /* messages about members that no server of this library has sent */
} jz_presence_statistics;

/* From any thread. */
JZ_PUBLIC void jz_server_presence_statistics(jz_server *server, jz_presence_statistics *statistics);

JZ_END_DECLARATIONS

#endif
