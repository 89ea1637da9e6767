#include <jazzy.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "task.h"

static volatile sig_atomic_t has_ended;

static void end(int signal)
{
    (void)signal;
    has_ended = 1;
}

/* "/feed?topic=feed/7&since=...": continues there, or begins with the next message. */
static void continue_there(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    jz_string topic;
    jz_string since;
    jz_subscribe_options options = {.announces = true};
    const jz_request *request = event->type == JZ_EVENT_OPEN ? jz_ws_request(ws) : NULL;
    if (request == NULL || !jz_request_query_value(request, "topic", &topic))
        return;
    if (jz_request_query_value(request, "since", &since))
        options.has_since = jz_position_parse(since.start, since.length, &options.since);
    jz_ws_subscribe_from(ws, topic.start, topic.length, &options, NULL);
}

/* Each topic's messages say their own offsets. */
static void publish(jz_server *server, size_t topic, size_t number)
{
    char name[32];
    char text[MESSAGE_LENGTH + 1];
    int name_length = snprintf(name, sizeof name, "feed/%zu", topic);
    memset(text, '.', sizeof text);
    int length = snprintf(text, sizeof text, "%zu", number);
    text[length] = ' ';
    if (jz_server_publish(server, name, (size_t)name_length, JZ_MESSAGE_TEXT, text, MESSAGE_LENGTH) != JZ_SEND_SENT)
        fail("a message was not published");
}

static void publish_until_ended(jz_server *server, size_t topics)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    for (size_t number = PUBLISHED + 1; !has_ended; number++) {
        for (size_t topic = 0; topic < topics && !has_ended; topic++) {
            publish(server, topic, number);
            nanosleep(&pause, NULL);
        }
    }
}

static jz_status start(jz_server *server, const task *task, jz_error *error)
{
    jz_route_options route = jz_route_options_default();
    static const char *const subprotocols[] = {"jazzy.resume.1"};
    route.subprotocols = subprotocols;
    route.subprotocol_count = 1;
    jz_status status = jz_server_route_ws(server, "/feed", &route, continue_there, NULL, error);
    if (status == JZ_OK)
        status = jz_server_history(server, "feed/", 5, NULL, error);
    if (status == JZ_OK)
        status = jz_server_listen(server, "127.0.0.1", task->port, error);
    return status == JZ_OK ? jz_server_start(server, error) : status;
}

int serve(const task *task)
{
    jz_error error = {0};
    jz_options options = jz_options_default();
    options.threads = task->threads;
    jz_server *server = jz_server_create(&options, &error);
    if (server == NULL || start(server, task, &error) != JZ_OK)
        fail("%s", error.message);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    for (size_t topic = 0; topic < task->topics; topic++) {
        for (size_t number = 1; number <= PUBLISHED; number++)
            publish(server, topic, number);
    }
    printf("listening on port %u\n", jz_server_port(server));
    fflush(stdout);
    publish_until_ended(server, task->topics);
    jz_history_statistics statistics;
    jz_server_history_statistics(server, &statistics);
    printf("{\"recovered\": %llu, \"not_recovered\": %llu}\n", (unsigned long long)statistics.recovered,
           (unsigned long long)statistics.not_recovered);
    jz_server_stop(server);
    jz_server_wait(server);
    jz_server_destroy(server);
    return 0;
}
