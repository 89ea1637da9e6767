/*
 * Topics that several processes and machines share, over Redis Pub/Sub: a broker (jazzy/broker.h) by hiredis. A library
 * of its own, libcjazzyredis (pkg-config: jazzyredis), and not part of jazzy.h.
 *
 *     jz_redis_options redis_options = jz_redis_options_default();
 *     redis_options.url = "redis://127.0.0.1:6379";
 *     jz_redis *redis = jz_redis_create(&redis_options, &error);             // NULL: error.message says why
 *     jz_server *server = jz_server_create(NULL, &error);
 *     jz_server_join(server, jz_redis_broker(redis), &error);
 *     jz_server_listen(server, NULL, 8080, &error);
 *     jz_server_run_until_signal(server, &error);
 *     jz_server_destroy(server);
 *     jz_redis_free(redis);                                                  // after its server
 *
 * How it behaves
 *   - One thread, and two connections to Redis: one publishes, the other one is subscribed to the topics that have
 *     subscribers on this server. Handlers that block do not stop it, and it never stops an event loop: publishing
 *     copies the message into a queue.
 *   - Redis Pub/Sub delivers each message at most once, and forgets it. So messages between processes can be lost: when
 *     a connection breaks, when Redis is restarted, fails over or refuses them, when a queue is full. They are never
 *     lost in silence: each message has the number of its publisher and topic, and whatever this process missed, or may
 *     have missed, is told by `on_gap`: then read the state of the topic again from where it is stored. Nothing is
 *     delivered twice, and the messages of one publisher arrive in their order. Where the network is parted, and a
 *     process goes on publishing to a master that all others have left, that is told once it has come to another one,
 *     however long it took: of each topic, or, where one was not published to for ten minutes, of all.
 *   - Subscribers on this server get what is published here also without Redis, and before the others (but see
 *     is_ordered).
 *   - It connects again for ever, after pauses that are random, and longer and longer up to backoff_most_ms. It takes
 *     only a master (ROLE). With Sentinel it asks for the master each time, and follows when another one is named.
 *   - It publishes to a channel of its own every probe_interval_ms, and hears that: by this it finds out that a
 *     connection is dead, or that nothing is delivered, which no error ever says.
 *   - The channel of a topic is `prefix` and the topic. What others publish there (redis-cli PUBLISH jazzy:news hello)
 *     arrives as a text message, if it is UTF-8.
 *   - A user of Redis who may not use every channel (ACL) needs those of the processes themselves, &jazzy:?J*, and
 *     those of topics, and +role and +info: INFO tells whether a new connection leads to the same Redis as before. If
 *     it may not be asked for, that is taken for another one, and more topics are told of gaps. A topic that is
 *     forbidden is never live: it is logged, counted (refused_topics), and asked for again every 30 s (six probes),
 *     while all others go on. Where Redis is busy with a script, or loads, and does not say whether it is a master, it
 *     is asked again with the next probe; whoever may not ask any more loses the connections, and is told so.
 *   - Topics with history (jazzy/history.h): Redis keeps it, for all servers, so that a client continues on any of
 *     them. Each message goes through Redis then, also to the subscribers here; all servers have to have a history
 *     of the same topics. What is published there is kept in a stream, <prefix>history:<topic>, with its position in
 *     a hash, <prefix>position:<topic>, by one script that Redis runs as a whole; of one topic at most 10,000
 *     messages and 8 MiB, whatever is asked for. Positions hold as long as Redis is the same: after each new start
 *     of it, and each failover, topics have another epoch, and nobody continues from before, because nobody can know
 *     what Redis has lost. So it is, too, when Redis gets its first replica, or has had none for an hour: it has
 *     another name then (master_replid). It forgets a topic a week after its last message has become too old. Its
 *     user needs the commands EVAL, EVALSHA, SCRIPT, INFO, TIME, HMGET, HSET, HLEN, HGETALL, HDEL, XADD, XDEL, XTRIM,
 *     XREVRANGE, DEL and PEXPIRE, and the keys ~<prefix>*. What others publish to the channel of such a topic has no
 *     position: it is dropped, and a gap is told. What is on its way when Redis is lost is sent to the next one:
 *     subscribers that have not subscribed from a position may get it twice. Redis Cluster is not for this.
 *   - Whoever may publish to these channels is trusted like a process of one's own. There is no signature: such a one
 *     can publish any message to any topic, also in the name of another process (whose origin is in each of its
 *     messages): with a high number it makes that one's next messages look like duplicates, which are dropped and only
 *     counted; it can have gaps told of every topic, and, with is_ordered, withhold a message from one connection. So
 *     have Redis ask for a password, let only these processes publish (ACL SETUSER ... resetchannels &jazzy:*), and use
 *     TLS where others can reach the network.
 */
#ifndef JAZZY_REDIS_H
#define JAZZY_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/broker.h"
#include "jazzy/compiler.h"
#include "jazzy/error.h"
#include "jazzy/log.h"

JZ_BEGIN_DECLARATIONS

/* Redis as the broker of one server. */
typedef struct jz_redis jz_redis;

/*
 * Messages of other processes to this topic may have been lost, or certainly were. Called once for each topic and loss,
 * when the topic is live again: what is published from now on arrives, so that what is read now misses nothing. `topic`
 * is borrowed until the function returns and is not NUL-terminated.
 *
 * Called on the broker's thread, one at a time, with no lock held. It may call any function that is allowed from any
 * thread, such as jz_server_publish, but must not block: no message arrives meanwhile. It must not wait for the server
 * to end.
 */
typedef void (*jz_redis_gap_function)(void *context, const char *topic, size_t length);

/* Everything is copied by jz_redis_create, texts included. */
typedef struct jz_redis_options {
    /*
     * Where Redis is. Needed.
     *   redis://[[user]:password@]host[:port][/db]      port 6379 and database 0 unless given; IPv6 in brackets
     *   rediss://...                                    the same with TLS 1.2 or 1.3, in builds with OpenSSL 3
     *   unix://[[user]:password@]/path[?db=N]           a unix socket
     *   redis-sentinel://[[user]:password@]host[:port],host[:port].../name[/db]
     *                                                   the master that these Sentinels (port 26379) know by this name
     *   rediss-sentinel://...                           the same with TLS to the Sentinels and to the master; the
     *                                                   certificate of each is for its host here, or, where others tell
     *                                                   of it, for the address that they tell
     * User, password and path may have %XX. With Pub/Sub the database makes no difference, but SELECT is sent.
     */
    const char *url;

    /* What all channels begin with; "" is allowed. Processes with the same prefix share their topics. Default
       "jazzy:". NULL: the default. */
    const char *prefix;
    /* What CLIENT LIST shows, without spaces or line ends; default "jazzy". NULL: the default. */
    const char *client_name;

    /* false: subscribers on this server get a message at once, those of other processes through Redis (the default).
       true: all get it through Redis, so that every receiver of every process sees the messages of a topic in the same
       order. Without a connection nobody gets it then until there is one again. What is published to a topic that has
       just got its first subscriber here waits, with all behind it, until Redis has acknowledged that: so subscribers
       miss nothing. After connect_timeout_ms it waits no longer, and a gap is told. */
    bool is_ordered;

    /* If Redis cannot be reached when the server starts: false: starting fails, with the reason (the default). true:
       the server goes on alone, and joins the others as soon as it can. */
    bool starts_alone;

    /* How many bytes of messages may wait for Redis to take and acknowledge them, while it is slow or away; those
       beyond are dropped (JZ_SEND_DROPPED). 65,536 to 2^40; default 67,108,864 (64 MiB). */
    size_t queue_limit;
    /* While an answer is outstanding, messages are gathered until it comes or until they are so many bytes: 1 to
       16,777,216; default 32,768. */
    size_t publish_batch;

    /* How long a topic stays subscribed in Redis without a subscriber here: 0 to 3,600,000 ms; default 5,000. */
    uint32_t linger_ms;

    /* How often the process publishes to itself, and how long it may not hear it until both connections are made anew:
       10 to 3,600,000 ms; defaults 5,000 and 10,000. The time-out is at least the interval. */
    uint32_t probe_interval_ms;
    uint32_t probe_timeout_ms;

    /* How long making a connection may take, with everything until it can be used, over all addresses of its host; and
       asking all Sentinels, one after the other and soon beside each other: 10 to 600,000 ms; default 5,000. Starting
       fails after that, and is given up at once when the server is stopped. */
    uint32_t connect_timeout_ms;
    /* How long ending the server waits for queued messages to be taken: 0 to 600,000 ms; default 2,000. */
    uint32_t stop_timeout_ms;

    /* Pauses between attempts to connect are random, from 0 up to a bound that begins with backoff_least_ms and
       doubles with each failure until it is backoff_most_ms: 1 to 600,000 ms; defaults 50 and 2,000. */
    uint32_t backoff_least_ms;
    uint32_t backoff_most_ms;

    /* Of the Sentinels, where they have one; default NULL. The URL has that of Redis. */
    const char *sentinel_user;
    const char *sentinel_password;

    /* For rediss:// and rediss-sentinel://, files in PEM: the authorities that the certificates of Redis and Sentinels
       are checked against (NULL: the system's), and the certificate and key of this client (NULL: none). */
    const char *ca_file;
    const char *certificate_file;
    const char *key_file;

    /* Default NULL: gaps are only counted, and logged. */
    jz_redis_gap_function on_gap;
    void *gap_context;

    /* Called with what happens to the connections, on the broker's thread and within jz_server_run or jz_server_start.
       Default NULL: warnings and errors go to standard error. */
    jz_log_function log;
    void *log_context;
} jz_redis_options;

JZ_PUBLIC jz_redis_options jz_redis_options_default(void);

/*
 * Checks the options and copies them. Connects nothing: that happens when the server starts. Returns what is to be
 * freed by jz_redis_free, or NULL with `error` filled in (it may be NULL): INVALID_OPTION names the option and its
 * range, or what is wrong with the URL, without its password; OUT_OF_MEMORY. From any thread.
 */
JZ_PUBLIC jz_redis *jz_redis_create(const jz_redis_options *options, jz_error *error);

/*
 * The broker to give to jz_server_join, of one server, which may run once. When the server starts, JZ_STATUS_SYSTEM
 * says that Redis cannot be reached or used, and why. It lives as long as the jz_redis.
 */
JZ_PUBLIC const jz_broker *jz_redis_broker(jz_redis *redis);

/*
 * Whether what other processes publish to this topic from now on arrives here: the topic has a subscriber on this
 * server, Redis has acknowledged that it is subscribed, and the connection has been heard of within probe_timeout_ms.
 * From any thread, also while the server does not run.
 */
JZ_PUBLIC bool jz_redis_is_live(jz_redis *redis, const char *topic, size_t length);

/* Counted since jz_redis_create. */
typedef struct jz_redis_statistics {
    bool is_up;          /* now: both connections are usable, and all topics are acknowledged */
    uint64_t reconnects; /* how often connections were made again after the first time */
    uint64_t gaps;       /* calls of on_gap, also if it is NULL */
    uint64_t published;  /* messages that Redis acknowledged */
    uint64_t received;   /* messages of other processes that were delivered */
    uint64_t echoes;     /* messages of this process that came back; with is_ordered these are delivered */
    uint64_t duplicates; /* messages that came a second time, and were dropped */
    uint64_t unreadable; /* messages that were neither ours nor UTF-8, and were dropped */
    uint64_t dropped;    /* messages that were not published: the queue was full, or Redis refused them */
    size_t queue_bytes;  /* now: messages that Redis has not acknowledged */
    size_t queue_messages;
    size_t topics;         /* now: topics that have subscribers here, or had until linger_ms ago */
    size_t live_topics;    /* now: those of them that Redis has acknowledged */
    uint64_t lag_us;       /* of the last probe: from publishing it to hearing it, in microseconds */
    size_t refused_topics; /* now: those of them that Redis does not let its user subscribe to (ACL); they are asked for
                              again after a while, and meanwhile get no messages of other processes */
    uint64_t fetched;      /* topics of which Redis was asked what it keeps, because this process did not have it, */
    uint64_t not_fetched;  /* and of which that failed, or took longer than connect_timeout_ms */
} jz_redis_statistics;

/* From any thread. */
JZ_PUBLIC jz_redis_statistics jz_redis_statistics_of(jz_redis *redis);

/* Frees it, after its server is destroyed. `redis` may be NULL. */
JZ_PUBLIC void jz_redis_free(jz_redis *redis);

JZ_END_DECLARATIONS

#endif
