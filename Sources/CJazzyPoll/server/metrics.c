#include "server/metrics.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include "jazzy/transport.h"
#include "jazzy/version.h"
#include "platform/process.h"
#include "pubsub/history.h"
#include "pubsub/presence.h"
#include "server/presence_metrics.h"
#include "server/summing.h"
#include "shard/server.h"

/* What all families are written from. */
typedef struct scrape {
    jz_exposition exposition;
    const jz_server *server;
    jz_statistics statistics;
} scrape;

static void begin(scrape *scrape, const char *name, jz_metric_type type, const char *help)
{
    jz_exposition_begin(&scrape->exposition, name, type, help);
}

/* A family of one sample. */
static void add(scrape *scrape, const char *name, jz_metric_type type, const char *help, uint64_t value)
{
    begin(scrape, name, type, help);
    jz_exposition_add(&scrape->exposition, NULL, 0, value);
}

/* A sample with one label. */
static void add_labelled(scrape *scrape, const char *label, const char *label_value, uint64_t value)
{
    const jz_label labelled = {label, jz_text_of(label_value)};
    jz_exposition_add(&scrape->exposition, &labelled, 1, value);
}

static void write_build(scrape *scrape)
{
#if defined(__VERSION__)
    const char *compiler = __VERSION__;
#else
    const char *compiler = "";
#endif
    const jz_label labels[] = {{"version", jz_text_of(jz_version())}, {"compiler", jz_text_of(compiler)}};
    begin(scrape, "jazzy_build", JZ_METRIC_INFO, "The library that runs.");
    jz_exposition_add(&scrape->exposition, labels, 2, 1);
}

static void write_connections(scrape *scrape)
{
    const jz_statistics *now = &scrape->statistics;
    add(scrape, "jazzy_connections", JZ_METRIC_GAUGE, "Current connections, WebSockets and others.", now->connections);
    add(scrape, "jazzy_connections_peak", JZ_METRIC_GAUGE, "The most connections at a time.", now->connections_peak);
    add(scrape, "jazzy_connections_opened", JZ_METRIC_COUNTER, "All connections that were accepted.",
        now->connections_total);
    add(scrape, "jazzy_websockets", JZ_METRIC_GAUGE, "Current WebSockets.", now->websockets);
    add(scrape, "jazzy_websockets_opened", JZ_METRIC_COUNTER, "All WebSockets.", now->websockets_total);
    add(scrape, "jazzy_handshakes", JZ_METRIC_GAUGE, "Current connections that are not WebSockets yet.",
        now->handshakes);
    begin(scrape, "jazzy_refused", JZ_METRIC_COUNTER,
          "Connections that were refused before they were WebSockets, by reason.");
    for (int reason = 0; reason < JZ_REFUSAL_COUNT; reason++)
        add_labelled(scrape, "reason", jz_refusal_name((jz_refusal)reason), now->refused[reason]);
}

static void add_kinds(scrape *scrape, const char *name, const char *help, const uint64_t *values)
{
    static const char *const kinds[JZ_MESSAGE_KINDS] = {[JZ_MESSAGE_TEXT] = "text",
                                                        [JZ_MESSAGE_BINARY] = "binary",
                                                        [JZ_MESSAGE_PING] = "ping",
                                                        [JZ_MESSAGE_PONG] = "pong"};
    begin(scrape, name, JZ_METRIC_COUNTER, help);
    for (int kind = 0; kind < JZ_MESSAGE_KINDS; kind++)
        add_labelled(scrape, "kind", kinds[kind], values[kind]);
}

static void write_messages(scrape *scrape)
{
    static const char *const actions[JZ_EXCEEDING_COUNT] = {
        [JZ_EXCEEDING_CLOSE] = "close", [JZ_EXCEEDING_PAUSE] = "pause", [JZ_EXCEEDING_DROP] = "drop"};
    const jz_statistics *now = &scrape->statistics;
    add_kinds(scrape, "jazzy_messages_received", "Received messages, by kind.", now->messages_received);
    add_kinds(scrape, "jazzy_received_bytes", "Bytes of received payloads, decompressed, by kind.",
              now->bytes_received);
    add_kinds(scrape, "jazzy_messages_sent", "Messages that were accepted for sending, by kind.", now->messages_sent);
    add_kinds(scrape, "jazzy_sent_bytes", "Bytes of sent payloads, before compression, by kind.", now->bytes_sent);
    add(scrape, "jazzy_messages_dropped", JZ_METRIC_COUNTER,
        "Messages that were dropped: a limit of waiting output was reached, or there was no memory.", now->dropped);
    begin(scrape, "jazzy_message_rate_exceeded", JZ_METRIC_COUNTER,
          "What was done to clients that sent more messages than their route allows.");
    for (int action = 0; action < JZ_EXCEEDING_COUNT; action++)
        add_labelled(scrape, "action", actions[action], now->exceeded[action]);
    add(scrape, "jazzy_buffered_bytes", JZ_METRIC_GAUGE, "Output that was accepted and not yet taken by the kernel.",
        now->buffered_bytes);
}

static void write_compression(scrape *scrape)
{
    uint64_t sums[4] = {0};
    for (uint32_t i = 0; i < scrape->server->shard_count; i++) {
        const jz_compression_counters *counters = &scrape->server->shards[i].workspace.counters;
        sums[0] += jz_counted(&counters->received_plain);
        sums[1] += jz_counted(&counters->sent_plain);
        sums[2] += jz_counted(&counters->received_compressed);
        sums[3] += jz_counted(&counters->sent_compressed);
    }
    begin(scrape, "jazzy_compression_plain_bytes", JZ_METRIC_COUNTER,
          "Bytes of payloads that were compressed, without compression, by direction.");
    add_labelled(scrape, "direction", "received", sums[0]);
    add_labelled(scrape, "direction", "sent", sums[1]);
    begin(scrape, "jazzy_compression_compressed_bytes", JZ_METRIC_COUNTER, "The same payloads, compressed.");
    add_labelled(scrape, "direction", "received", sums[2]);
    add_labelled(scrape, "direction", "sent", sums[3]);
}

/* The name of a place in jz_statistics.closes. */
static const char *name_of_closes(size_t place, char name[8])
{
    switch (place) {
    case JZ_CLOSES_OTHER_RFC:
        return "1016-2999";
    case JZ_CLOSES_REGISTERED:
        return "3000-3999";
    case JZ_CLOSES_PRIVATE:
        return "4000-4999";
    default:
        snprintf(name, 8, "%u", 1000 + (unsigned)place % 100);
        return name;
    }
}

static void write_ends(scrape *scrape)
{
    const jz_statistics *now = &scrape->statistics;
    char name[8];
    begin(scrape, "jazzy_closes", JZ_METRIC_COUNTER, "Close events, by code.");
    for (size_t place = 0; place < JZ_CLOSES_COUNT; place++)
        add_labelled(scrape, "code", name_of_closes(place, name), now->closes[place]);
    begin(scrape, "jazzy_closes_by_cause", JZ_METRIC_COUNTER, "Close events, by cause.");
    for (int cause = 0; cause < JZ_CAUSE_COUNT; cause++)
        add_labelled(scrape, "cause", jz_close_cause_name((jz_close_cause)cause), now->causes[cause]);
    begin(scrape, "jazzy_failures", JZ_METRIC_COUNTER, "WebSockets that failed, by the rule that was broken.");
    for (int failure = JZ_FAILURE_NONE + 1; failure < JZ_FAILURE_COUNT; failure++)
        add_labelled(scrape, "rule", jz_failure_name((jz_failure)failure), now->failures[failure]);
}

static void write_routes(scrape *scrape)
{
    static const struct {
        const char *name;
        const char *help;
        const jz_bounds *bounds;
        size_t place;
    } families[] = {
        {"jazzy_handler_duration_seconds", "How long handlers take for a message, of about one in 64, by route.",
         &jz_handler_bounds, offsetof(jz_route_measures, handler)},
        {"jazzy_websocket_duration_seconds", "How long WebSockets that have ended were open, by route.",
         &jz_websocket_bounds, offsetof(jz_route_measures, websocket)},
    };
    const jz_routes *routes = &scrape->server->routes;
    if (routes->measures == NULL)
        return;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        begin(scrape, families[i].name, JZ_METRIC_HISTOGRAM, families[i].help);
        for (size_t number = 0; number < routes->measured_count; number++) {
            const jz_route_measures *measures = &routes->measures[number];
            const jz_histogram *histogram =
                (const jz_histogram *)(const void *)((const char *)measures + families[i].place);
            const jz_distribution read = jz_histogram_read(histogram);
            const jz_label label = {"route", jz_text_of(measures->route)};
            jz_exposition_add_histogram(&scrape->exposition, &label, 1, families[i].bounds, &read);
        }
    }
}

static void write_pings(scrape *scrape)
{
    const jz_distribution read = jz_histogram_read(&scrape->server->ping_round_trip);
    begin(scrape, "jazzy_ping_round_trip_seconds", JZ_METRIC_HISTOGRAM,
          "From a ping that the server sent by itself to the client's pong.");
    jz_exposition_add_histogram(&scrape->exposition, NULL, 0, &jz_ping_bounds, &read);
}

/* What is written of each loop. */
static uint64_t websockets_of(const jz_shard *shard)
{
    uint64_t ended = jz_counted(&shard->turn.counters.websockets_ended);
    uint64_t total = jz_counted(&shard->turn.counters.websockets_total);
    return total > ended ? total - ended : 0;
}

static uint64_t topics_of(const jz_shard *shard)
{
    return jz_counted(&shard->topics.topic_count);
}

static uint64_t subscriptions_of(const jz_shard *shard)
{
    return jz_counted(&shard->topics.subscription_count);
}

static uint64_t iterations_of(const jz_shard *shard)
{
    return jz_counted(&shard->turn.loop.times.turns);
}

static uint64_t time_of(const jz_shard *shard)
{
    return jz_counted(&shard->turn.loop.times.total);
}

static uint64_t longest_of(const jz_shard *shard)
{
    return jz_counted(&shard->turn.loop.times.longest);
}

static uint64_t lag_of(const jz_shard *shard)
{
    return jz_loop_lag(&shard->turn.loop.times, jz_clock_ns());
}

static jz_label label_of_loop(uint32_t number, char text[12])
{
    snprintf(text, 12, "%u", (unsigned)number);
    return (jz_label){"loop", jz_text_of(text)};
}

static void write_loops(scrape *scrape)
{
    static const struct {
        const char *name;
        jz_metric_type type;
        const char *help;
        uint64_t (*value)(const jz_shard *shard);
    } families[] = {
        {"jazzy_loop_websockets", JZ_METRIC_GAUGE, "Current WebSockets of the loop.", websockets_of},
        {"jazzy_topics", JZ_METRIC_GAUGE,
         "Topics with subscribers on the loop. One with subscribers on several counts on each.", topics_of},
        {"jazzy_subscriptions", JZ_METRIC_GAUGE, "Subscriptions of connections on the loop to topics.",
         subscriptions_of},
        {"jazzy_loop_iterations", JZ_METRIC_COUNTER, "Iterations of the loop.", iterations_of},
        {"jazzy_loop_seconds", JZ_METRIC_COUNTER, "Time in iterations of the loop, without waiting.", time_of},
        {"jazzy_loop_longest_seconds", JZ_METRIC_GAUGE, "The longest iteration of the loop.", longest_of},
        {"jazzy_loop_lag_seconds", JZ_METRIC_GAUGE,
         "How long the current iteration has taken so far, for which ready connections wait.", lag_of},
    };
    char text[12];
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        begin(scrape, families[i].name, families[i].type, families[i].help);
        for (uint32_t loop = 0; loop < scrape->server->shard_count; loop++) {
            const jz_label label = label_of_loop(loop, text);
            jz_exposition_add(&scrape->exposition, &label, 1, families[i].value(&scrape->server->shards[loop]));
        }
    }
}

static void write_loop_histograms(scrape *scrape)
{
    char text[12];
    begin(scrape, "jazzy_loop_iteration_duration_seconds", JZ_METRIC_HISTOGRAM,
          "How long iterations of the loop take.");
    for (uint32_t loop = 0; loop < scrape->server->shard_count; loop++) {
        const jz_label label = label_of_loop(loop, text);
        const jz_distribution read = jz_loop_times_read(&scrape->server->shards[loop].turn.loop.times);
        jz_exposition_add_histogram(&scrape->exposition, &label, 1, &jz_turn_bounds, &read);
    }
    begin(scrape, "jazzy_loop_timer_lag_seconds", JZ_METRIC_HISTOGRAM,
          "How late the loop runs what is due, measured ten times a second.");
    for (uint32_t loop = 0; loop < scrape->server->shard_count; loop++) {
        const jz_label label = label_of_loop(loop, text);
        const jz_distribution read = jz_histogram_read(&scrape->server->shards[loop].timer_delay);
        jz_exposition_add_histogram(&scrape->exposition, &label, 1, &jz_timer_bounds, &read);
    }
}

static void write_broker(scrape *scrape)
{
    const jz_broker_statistics *broker = &scrape->statistics.broker;
    const jz_broker_report *report = &broker->report;
    if (atomic_load(&scrape->server->membership) == NULL)
        return;
    add(scrape, "jazzy_broker_joined", JZ_METRIC_GAUGE, "1 while the broker is connected to the other servers.",
        broker->joined);
    add(scrape, "jazzy_broker_topics", JZ_METRIC_GAUGE, "Topics with subscribers on this server.", broker->topics);
    add(scrape, "jazzy_broker_losses", JZ_METRIC_COUNTER, "How often the connection to the others was lost.",
        broker->losses);
    add(scrape, "jazzy_broker_published", JZ_METRIC_COUNTER, "Publications that the broker accepted.",
        broker->published);
    add(scrape, "jazzy_broker_refused", JZ_METRIC_COUNTER, "Publications that the broker did not accept.",
        broker->refused);
    add(scrape, "jazzy_broker_delivered", JZ_METRIC_COUNTER, "Publications that the broker delivered here.",
        broker->delivered);
    add(scrape, "jazzy_broker_up", JZ_METRIC_GAUGE, "1 while the broker is connected to what carries its messages.",
        report->is_up ? 1 : 0);
    add(scrape, "jazzy_broker_queued_bytes", JZ_METRIC_GAUGE, "What the broker has accepted and not yet handed on.",
        report->queued_bytes);
    add(scrape, "jazzy_broker_queued_messages", JZ_METRIC_GAUGE, "The same in messages.", report->queued_messages);
    add(scrape, "jazzy_broker_lag_seconds", JZ_METRIC_GAUGE, "How long the last message took to the broker and back.",
        report->lag_us * 1000);
    add(scrape, "jazzy_broker_refused_topics", JZ_METRIC_GAUGE, "Topics that the broker may not subscribe to.",
        report->refused_topics);
    add(scrape, "jazzy_broker_reconnects", JZ_METRIC_COUNTER, "How often the broker connected again.",
        report->reconnects);
    add(scrape, "jazzy_broker_gaps", JZ_METRIC_COUNTER, "How often messages of a topic were, or may have been, lost.",
        report->gaps);
    add(scrape, "jazzy_broker_received", JZ_METRIC_COUNTER, "Messages of the other servers that came.",
        report->received);
    add(scrape, "jazzy_broker_echoes", JZ_METRIC_COUNTER, "Messages of this server that came back.", report->echoes);
    add(scrape, "jazzy_broker_duplicates", JZ_METRIC_COUNTER, "Messages that had come before.", report->duplicates);
    add(scrape, "jazzy_broker_unreadable", JZ_METRIC_COUNTER, "Messages that could not be read.", report->unreadable);
    add(scrape, "jazzy_broker_dropped", JZ_METRIC_COUNTER, "Messages of this server that the broker gave up.",
        report->dropped);
}

static void write_history(scrape *scrape)
{
    if (scrape->server->history == NULL)
        return;
    const jz_history_statistics history = jz_history_count(scrape->server->history);
    add(scrape, "jazzy_history_topics", JZ_METRIC_GAUGE, "Topics of which a history is known.", history.topics);
    add(scrape, "jazzy_history_messages", JZ_METRIC_GAUGE, "Messages that histories keep.", history.messages);
    add(scrape, "jazzy_history_bytes", JZ_METRIC_GAUGE, "What histories take.", history.bytes);
    begin(scrape, "jazzy_history_resumptions", JZ_METRIC_COUNTER, "Subscriptions at a position, by result.");
    add_labelled(scrape, "result", "recovered", history.recovered);
    add_labelled(scrape, "result", "not_recovered", history.not_recovered);
}

static void write_presence(scrape *scrape)
{
    const jz_presence_statistics now = jz_presence_statistics_of(scrape->server->presence);
    jz_presence_metrics_write(&scrape->exposition, &now, atomic_load(&scrape->server->membership) != NULL);
}

bool jz_transports_sum(const jz_server *server, jz_transport_report *sum)
{
    *sum = (jz_transport_report){0};
    for (size_t i = 0; i < server->transport_count; i++) {
        jz_transport_report report = {0};
        server->transports[i].transport->report(server->transports[i].transport_context, &report);
        sum->handshakes += report.handshakes;
        sum->resumed += report.resumed;
        sum->failed += report.failed;
        sum->reloads += report.reloads;
        sum->failed_reloads += report.failed_reloads;
        if (report.expires != 0 && (sum->expires == 0 || report.expires < sum->expires))
            sum->expires = report.expires;
    }
    return server->transport_count > 0;
}

static void write_transports(scrape *scrape)
{
    jz_transport_report sum;
    if (!jz_transports_sum(scrape->server, &sum))
        return;
    begin(scrape, "jazzy_tls_handshakes", JZ_METRIC_COUNTER, "Handshakes of TLS, by result.");
    add_labelled(scrape, "result", "full", sum.handshakes - sum.resumed);
    add_labelled(scrape, "result", "resumed", sum.resumed);
    add_labelled(scrape, "result", "failed", sum.failed);
    begin(scrape, "jazzy_tls_reloads", JZ_METRIC_COUNTER,
          "How often certificates were to be replaced, by result: failed, the old ones stayed.");
    add_labelled(scrape, "result", "replaced", sum.reloads);
    add_labelled(scrape, "result", "failed", sum.failed_reloads);
    if (sum.expires > 0)
        add(scrape, "jazzy_tls_certificate_expiry_timestamp_seconds", JZ_METRIC_GAUGE,
            "When the first of the certificates in use expires, in seconds since 1970.", (uint64_t)sum.expires);
}

static void add_known(scrape *scrape, const char *name, jz_metric_type type, const char *help, uint64_t value)
{
    if (value != UINT64_MAX)
        add(scrape, name, type, help, value);
}

/* Named as every library for Prometheus names them. */
static void write_process(scrape *scrape)
{
    jz_process process = jz_process_read();
    add_known(scrape, "process_cpu_seconds", JZ_METRIC_COUNTER, "User and system time of the process.", process.cpu_ns);
    add_known(scrape, "process_resident_memory_bytes", JZ_METRIC_GAUGE, "Memory of the process that is resident.",
              process.resident_bytes);
    add_known(scrape, "process_virtual_memory_bytes", JZ_METRIC_GAUGE, "Address space of the process.",
              process.virtual_bytes);
    add_known(scrape, "process_open_fds", JZ_METRIC_GAUGE, "Open descriptors of the process.", process.descriptors);
    add_known(scrape, "process_max_fds", JZ_METRIC_GAUGE, "Descriptors that the process may open.",
              process.max_descriptors);
}

bool jz_metrics_write(const jz_server *server, jz_exposition_format format, jz_buffer *output)
{
    scrape scrape = {.exposition = {.output = output, .format = format}, .server = server};
    jz_statistics_sum(server, &scrape.statistics);
    write_build(&scrape);
    write_connections(&scrape);
    write_messages(&scrape);
    write_compression(&scrape);
    write_ends(&scrape);
    write_routes(&scrape);
    write_pings(&scrape);
    write_loops(&scrape);
    write_loop_histograms(&scrape);
    write_broker(&scrape);
    write_history(&scrape);
    write_presence(&scrape);
    write_transports(&scrape);
    write_process(&scrape);
    return jz_exposition_end(&scrape.exposition);
}
