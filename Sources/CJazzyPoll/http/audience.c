#include "http/audience.h"

#include <stdlib.h>
#include <string.h>

#include "codec/address.h"
#include "codec/authority.h"
#include "http/client_address.h"
#include "http/client_scheme.h"
#include "shard/server.h"

static bool ends_with(jz_text text, const char *end)
{
    size_t length = strlen(end);
    return text.length >= length &&
           jz_text_equals_ignoring_case((jz_text){text.start + text.length - length, length}, jz_text_of(end));
}

/* Not another name, although it leads here: the page of a stranger may have such a name. */
static bool names_loopback(jz_text authority)
{
    jz_address address;
    if (!jz_authority_is_valid(authority))
        return false;
    if (jz_address_parse(authority, &address))
        return jz_ip_is_loopback(address.ip);
    jz_text host;
    if (!jz_text_take_until(&authority, ':', &host))
        host = authority;
    return jz_text_equals_ignoring_case(host, jz_text_of("localhost")) || ends_with(host, ".localhost");
}

/* Forwarded, X-Forwarded-For, X-Original-Forwarded-Host, X_Forwarded_For. */
static bool says_forwarded(jz_text name)
{
    static const char word[] = "Forwarded";
    for (size_t i = 0; i + strlen(word) <= name.length; i++) {
        if (jz_text_equals_ignoring_case((jz_text){name.start + i, strlen(word)}, jz_text_of(word)))
            return true;
    }
    return false;
}

static bool is_of_proxies(jz_text name)
{
    static const char *const names[] = {"Via", "X-Envoy-External-Address", "X-Azure-ClientIP", "CF-Connecting-IPv6",
                                        "CDN-Loop"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (jz_text_equals_ignoring_case(name, jz_text_of(names[i])))
            return true;
    }
    /* X-Real-IP, CF-Connecting-IP, Fly-Client-IP and many more. */
    return ends_with(name, "-IP") || says_forwarded(name);
}

bool jz_request_is_from_loopback(const jz_request *request)
{
    jz_text host;
    const jz_request_head *head = request->head;
    for (size_t i = 0; i < head->header_count; i++) {
        if (is_of_proxies(head->headers[i].name))
            return false;
    }
    return !request->is_passed_on && jz_ip_is_loopback(request->client.ip) &&
           jz_request_head_host(head, &host) == NULL && names_loopback(host);
}

bool jz_audience_admits(const jz_audience *audience, const jz_request *request)
{
    return audience->admits != NULL ? audience->admits(audience->context, request)
                                    : jz_request_is_from_loopback(request);
}

const char *jz_audience_objection(const jz_audience *audience)
{
    if (audience->admits != NULL)
        return "this page is not for this client, says the application";
    return "this page is only for clients on the server's own machine that ask for localhost, or for 127.0.0.1, and "
           "through no proxy; for others the server needs an audience (jz_audience, JazzyAudience)";
}

jz_admittance jz_audience_judge(jz_shard *shard, jz_connection *connection, const jz_route *route,
                                const jz_request_head *head, const jz_route_parameters *parameters)
{
    jz_address client;
    if (!route->has_audience)
        return JZ_ADMITTED;
    if (!jz_client_address_find(shard, connection, route, head, &client)) {
        jz_client_address_refuse(shard, connection, route);
        return JZ_CLIENT_UNKNOWN;
    }
    jz_properties *properties = jz_properties_take(&shard->turn.links, connection->link);
    const jz_request request = {.head = head,
                                .parameters = parameters,
                                .client = client,
                                .route = route->path,
                                .is_secure = jz_client_is_secure(shard, connection, head),
                                .is_passed_on = jz_client_is_passed_on(shard, connection, head, &client),
                                .properties = properties};
    bool is_admitted = jz_audience_admits(&route->audience, &request);
    free(properties);
    return is_admitted ? JZ_ADMITTED : JZ_KEPT_OUT;
}
