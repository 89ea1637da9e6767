#include "hooked.h"

#include <stdio.h>

#include "eventually.h"
#include "serving.h"

static void take_question(void *context, jz_handshake handshake, const jz_request *request)
{
    hooked *hooked = context;
    if (hooked->questions < HOOKED_QUESTIONS)
        hooked->handshakes[hooked->questions] = handshake;
    if (hooked->ask != NULL)
        hooked->ask(hooked, handshake, request);
    hooked->questions++;
}

static void take_end(void *context, jz_handshake handshake)
{
    hooked *hooked = context;
    if (hooked->ends == 0)
        hooked->opens_at_first_end = hooked->journal.opens;
    if (hooked->ends < HOOKED_QUESTIONS)
        hooked->ended[hooked->ends] = handshake;
    if (hooked->end != NULL)
        hooked->end(hooked, handshake);
    hooked->ends++;
}

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hooked *hooked = context;
    if (event->type == JZ_EVENT_OPEN)
        hooked->state_when_opened = jz_ws_state(ws);
    journal_handle(&hooked->journal, ws, event, message);
}

static void count_release(void *state)
{
    hooked_state *releases = state;
    (*releases)++;
}

static void keep_line(void *context, jz_log_level level, const char *line)
{
    hooked *hooked = context;
    if (level < JZ_LOG_WARNING)
        return;
    pthread_mutex_lock(&hooked->lock);
    size_t room = HOOKED_LOG_SIZE - hooked->log_length;
    int length = snprintf(hooked->log + hooked->log_length, room, "%s\n", line);
    if (length > 0 && (size_t)length < room)
        hooked->log_length += (size_t)length;
    pthread_mutex_unlock(&hooked->lock);
}

void hooked_start(hooked *hooked, const jz_options *options, const jz_route_options *route)
{
    pthread_mutex_init(&hooked->journal.lock, NULL);
    pthread_mutex_init(&hooked->lock, NULL);
    jz_options server_options = options != NULL ? *options : serving_options(1);
    server_options.log = keep_line;
    server_options.log_context = hooked;
    jz_route_options route_options = route != NULL ? *route : jz_route_options_default();
    if (!hooked->has_no_hook) {
        route_options.upgrade = take_question;
        route_options.upgrade_ended = take_end;
    }
    route_options.release_state = count_release;
    const serving_route routes[] = {{"/room/:id", handle, hooked, &route_options}};
    hooked->server = serving_start(&server_options, routes, COUNT_OF(routes));
    hooked->port = jz_server_port(hooked->server);
}

void hooked_finish(hooked *hooked)
{
    jz_server_destroy(hooked->server);
    pthread_mutex_destroy(&hooked->journal.lock);
    pthread_mutex_destroy(&hooked->lock);
}

void hooked_request(hooked *hooked, test_client *client, const char *request)
{
    assert_true(test_client_connect(client, hooked->port, 0));
    assert_true(test_client_send(client, request, strlen(request)));
}

jz_handshake hooked_question(hooked *hooked, size_t number)
{
    assert_eventually(hooked->questions > number);
    return hooked->handshakes[number];
}

uint64_t hooked_refused(const hooked *hooked, jz_refusal refusal)
{
    jz_statistics statistics;
    jz_server_statistics(hooked->server, &statistics);
    return statistics.refused[refusal];
}

bool hooked_has_logged(hooked *hooked, const char *words)
{
    pthread_mutex_lock(&hooked->lock);
    bool result = strstr(hooked->log, words) != NULL;
    pthread_mutex_unlock(&hooked->lock);
    return result;
}

void hooked_expect_line(const test_client *client, const char *line)
{
    char head[4096];
    assert_true(client->start < sizeof head);
    memcpy(head, client->bytes, client->start);
    head[client->start] = '\0';
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    assert_that(strstr(head, wanted) != NULL, "'%s' is not in '%s'", line, head);
}
