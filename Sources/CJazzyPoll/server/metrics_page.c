#include "server/metrics_page.h"

#include "codec/accept.h"
#include "jazzy/metrics.h"
#include "jazzy/page.h"
#include "server/metrics.h"
#include "server/routing.h"
#include "shard/server.h"

static_assert((int)JZ_FORMAT_COUNT <= (int)JZ_MADE_PAGES, "a shard keeps one page of each format");

jz_exposition_format jz_metrics_format_for(jz_text accept)
{
    unsigned openmetrics =
        jz_accept_quality(accept, jz_text_of("application"), jz_text_of("openmetrics-text"), jz_text_of("1.0.0"));
    unsigned prometheus = jz_accept_quality(accept, jz_text_of("text"), jz_text_of("plain"), jz_text_of("0.0.4"));
    return openmetrics > prometheus ? JZ_FORMAT_OPENMETRICS : JZ_FORMAT_PROMETHEUS;
}

/* At most once in an iteration, however many ask. NULL when there is no memory. */
static const jz_buffer *make_text(const jz_server *server, jz_exposition_format format)
{
    jz_shard *shard = jz_current_shard;
    jz_made_page *made = &shard->made_pages[format];
    uint64_t turn = jz_counted(&shard->turn.loop.times.turns) + 1;
    if (made->turn == turn)
        return &made->text;
    made->turn = 0;
    made->text.length = 0;
    if (!jz_metrics_write(server, format, &made->text))
        return NULL;
    made->turn = turn;
    return &made->text;
}

static void answer(void *context, jz_page_request page, const jz_request *request)
{
    static const jz_response_header headers[] = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
    jz_string accept = {.start = ""};
    (void)jz_request_header(request, "Accept", &accept);
    jz_exposition_format format = jz_metrics_format_for((jz_text){accept.start, accept.length});
    const jz_buffer *text = make_text(context, format);
    jz_page_response response = {.status = 503};
    if (text != NULL)
        response = (jz_page_response){.content_type = jz_exposition_content_type(format),
                                      .body = text->bytes,
                                      .length = text->length,
                                      .headers = headers,
                                      .header_count = 2};
    if (jz_page_respond(page, &response) == JZ_ANSWER_OUT_OF_MEMORY)
        (void)jz_page_respond(page, &(jz_page_response){.status = 503});
}

jz_status jz_server_route_metrics_for(jz_server *server, const char *path, const jz_audience *audience, jz_error *error)
{
    jz_status status = jz_server_route_page(server, path, NULL, answer, server, error);
    if (status != JZ_OK)
        return status;
    server->is_measured = true;
    return audience != NULL ? jz_server_limit_page(server, path, audience, error) : JZ_OK;
}

jz_status jz_server_route_metrics(jz_server *server, const char *path, jz_error *error)
{
    return jz_server_route_metrics_for(server, path, NULL, error);
}
