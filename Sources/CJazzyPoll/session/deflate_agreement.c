#include "session/deflate_agreement.h"

#include <stdio.h>
#include <string.h>

enum { LARGEST_WINDOW_BITS = 15, SMALLEST_DEFLATE_WINDOW_BITS = 9 };

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

bool jz_deflate_agree(const jz_deflate_offer *offer, const jz_deflate_options *options, jz_deflate_agreement *agreement)
{
    bool shares = options->mode == JZ_DEFLATE_SHARED;
    uint8_t window_bits = options->window_bits;
    *agreement = (jz_deflate_agreement){.is_agreed = true};

    /* §7.1.1.1 and §7.1.1.2: either side may ask us for no context takeover, and we may ask the client for it. */
    agreement->server_no_context_takeover = offer->server_no_context_takeover || shares;
    agreement->client_no_context_takeover = offer->client_no_context_takeover || shares;

    /* §7.1.2.1. zlib's raw deflate cannot use a window of 8 bits, so we must not promise it. */
    agreement->names_server_max_window_bits = offer->server_max_window_bits != 0 || window_bits < LARGEST_WINDOW_BITS;
    agreement->server_max_window_bits = window_bits;
    if (offer->server_max_window_bits != 0)
        agreement->server_max_window_bits = smaller(window_bits, offer->server_max_window_bits);
    if (agreement->server_max_window_bits < SMALLEST_DEFLATE_WINDOW_BITS)
        return false;

    /* §7.1.2.2: the answer may limit the client's window only if the client offered that. */
    agreement->client_max_window_bits = LARGEST_WINDOW_BITS;
    if (offer->has_client_max_window_bits) {
        uint8_t offered = offer->client_max_window_bits != 0 ? offer->client_max_window_bits : LARGEST_WINDOW_BITS;
        agreement->client_max_window_bits = smaller(offered, window_bits);
        agreement->names_client_max_window_bits = agreement->client_max_window_bits < LARGEST_WINDOW_BITS;
    }
    return true;
}

bool jz_deflate_negotiate(const jz_request_head *head, const jz_deflate_options *options,
                          jz_deflate_agreement *agreement)
{
    *agreement = (jz_deflate_agreement){0};
    jz_text name = jz_text_of("Sec-WebSocket-Extensions");
    for (size_t i = 0; i < head->header_count; i++) {
        if (!jz_text_equals_ignoring_case(head->headers[i].name, name))
            continue;
        jz_text rest = head->headers[i].value;
        jz_deflate_offer offer;
        jz_extension_result result;
        while ((result = jz_extension_header_take(&rest, &offer)) != JZ_EXTENSION_END) {
            if (result == JZ_EXTENSION_MALFORMED)
                return false;
            if (result != JZ_EXTENSION_DEFLATE || options->mode == JZ_DEFLATE_OFF || agreement->is_agreed)
                continue;
            if (!jz_deflate_agree(&offer, options, agreement))
                *agreement = (jz_deflate_agreement){0};
        }
    }
    return true;
}

bool jz_deflate_append_answer(const jz_deflate_agreement *agreement, jz_buffer *output)
{
    if (!agreement->is_agreed)
        return true;
    char server_bits[40] = "";
    char client_bits[40] = "";
    if (agreement->names_server_max_window_bits)
        snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%u", agreement->server_max_window_bits);
    if (agreement->names_client_max_window_bits)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%u", agreement->client_max_window_bits);
    char line[224];
    snprintf(line, sizeof line, "Sec-WebSocket-Extensions: permessage-deflate%s%s%s%s\r\n",
             agreement->server_no_context_takeover ? "; server_no_context_takeover" : "",
             agreement->client_no_context_takeover ? "; client_no_context_takeover" : "", server_bits, client_bits);
    return jz_buffer_append(output, line, strlen(line));
}
