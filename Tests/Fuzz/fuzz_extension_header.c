/*
 * The Sec-WebSocket-Extensions header: arbitrary values, and the resulting agreement; and values generated from a list
 * of parameters, whose meaning is known.
 */
#include "codec/extension_header.h"
#include "session/deflate_agreement.h"

#include "support/fuzz_input.h"
#include "support/plain_text.h"

static const char header_name[] = "Sec-WebSocket-Extensions";

static bool is_legal_window(unsigned bits)
{
    return bits >= 8 && bits <= 15;
}

static void require_legal(const jz_deflate_offer *offer)
{
    require(offer->server_max_window_bits == 0 || is_legal_window(offer->server_max_window_bits),
            "the server's window is legal");
    require(offer->client_max_window_bits == 0 || is_legal_window(offer->client_max_window_bits),
            "the client's window is legal");
    require(offer->client_max_window_bits == 0 || offer->has_client_max_window_bits, "a value belongs to a parameter");
}

/* Takes all extensions. Returns the result after the last, and the first offer that this server can keep. */
static jz_extension_result take_all(fuzz_input value, jz_deflate_offer *first, bool *has_first)
{
    char *copy = fuzz_copy(value.bytes, value.length);
    jz_text rest = {copy, value.length};
    jz_extension_result result;
    *has_first = false;
    for (;;) {
        jz_deflate_offer offer = {0};
        size_t length_before = rest.length;
        result = jz_extension_header_take(&rest, &offer);
        require(rest.start + rest.length == copy + value.length, "what is taken is taken off the front");
        if (result == JZ_EXTENSION_END || result == JZ_EXTENSION_MALFORMED)
            break;
        require(rest.length < length_before, "an extension takes at least a byte");
        if (result != JZ_EXTENSION_DEFLATE)
            continue;
        require_legal(&offer);
        if (!*has_first && offer.server_max_window_bits != 8) /* zlib has no such window */
            *first = offer, *has_first = true;
    }
    require(result != JZ_EXTENSION_END || rest.length == 0, "the header ends at its end");
    free(copy);
    return result;
}

/* What the answer to an offer may contain (RFC 7692 §7.1.1 and §7.1.2). */
static void require_legal_answer(const jz_deflate_offer *answer, const jz_deflate_offer *offer,
                                 const jz_deflate_options *options)
{
    require(answer->server_no_context_takeover || !offer->server_no_context_takeover, "what was asked for is granted");
    require(answer->client_no_context_takeover || !offer->client_no_context_takeover, "what was told is repeated");
    require(options->mode != JZ_DEFLATE_SHARED ||
                (answer->server_no_context_takeover && answer->client_no_context_takeover),
            "shared compression takes no context over");
    if (offer->server_max_window_bits != 0)
        require(answer->server_max_window_bits != 0 && answer->server_max_window_bits <= offer->server_max_window_bits,
                "the server's window is no larger than was asked for");
    require(answer->server_max_window_bits == 0 || answer->server_max_window_bits <= options->window_bits,
            "the server's window is no larger than the route's");
    if (!answer->has_client_max_window_bits)
        return;
    require(offer->has_client_max_window_bits, "the client's window is limited only where it offered that");
    require(answer->client_max_window_bits != 0, "the limit has a value");
    require(offer->client_max_window_bits == 0 || answer->client_max_window_bits <= offer->client_max_window_bits,
            "the client's window is no larger than it offered");
}

static void require_answer_is_done(const jz_deflate_offer *answer, const jz_deflate_agreement *agreement)
{
    require(answer->server_no_context_takeover == agreement->server_no_context_takeover &&
                answer->client_no_context_takeover == agreement->client_no_context_takeover,
            "the answer says which contexts are taken over");
    require((answer->server_max_window_bits != 0 ? answer->server_max_window_bits : 15) >=
                agreement->server_max_window_bits,
            "the server compresses with no larger window than it answers");
    require(agreement->server_max_window_bits >= 9, "zlib compresses with the window");
    require((answer->has_client_max_window_bits ? answer->client_max_window_bits : 15) <=
                agreement->client_max_window_bits,
            "the server decompresses with no smaller window than it answers");
}

static void read_answer(const jz_deflate_agreement *agreement, jz_deflate_offer *answer)
{
    static const char before[] = "Sec-WebSocket-Extensions: ";
    jz_buffer line = {0};
    require(jz_deflate_append_answer(agreement, &line), "the fuzzer has memory");
    require(line.length > sizeof before + 1 && memcmp(line.bytes, before, sizeof before - 1) == 0 &&
                memcmp(line.bytes + line.length - 2, "\r\n", 2) == 0,
            "the answer is a line");
    jz_text rest = {(const char *)line.bytes + sizeof before - 1, line.length - (sizeof before - 1) - 2};
    require(jz_extension_header_take(&rest, answer) == JZ_EXTENSION_DEFLATE && rest.length == 0,
            "the answer is permessage-deflate, with legal parameters");
    jz_buffer_free(&line);
}

static void negotiate(fuzz_input value, const jz_deflate_options *options)
{
    jz_deflate_offer offer;
    bool has_offer;
    bool is_well_formed = take_all(value, &offer, &has_offer) == JZ_EXTENSION_END;

    char *copy = fuzz_copy(value.bytes, value.length);
    jz_request_head head = {.header_count = 1};
    head.headers[0] = (jz_header){jz_text_of(header_name), {copy, value.length}};
    jz_deflate_agreement agreement;
    require(jz_deflate_negotiate(&head, options, &agreement) == is_well_formed, "only a malformed header is refused");
    free(copy);
    if (!is_well_formed)
        return;
    require(agreement.is_agreed == (has_offer && options->mode != JZ_DEFLATE_OFF),
            "the first offer that can be kept is accepted");
    if (!agreement.is_agreed)
        return;
    jz_deflate_offer answer = {0};
    read_answer(&agreement, &answer);
    require_legal_answer(&answer, &offer, options);
    require_answer_is_done(&answer, &agreement);
}

typedef struct written_header {
    jz_buffer value;
    jz_deflate_offer offer; /* what it says */
    bool is_deflate;        /* and nothing in it makes it one to decline */
} written_header;

static void append(jz_buffer *buffer, const char *literal)
{
    require(jz_buffer_append(buffer, literal, strlen(literal)), "the fuzzer has memory");
}

static void append_white_space(jz_buffer *buffer, fuzz_input *input)
{
    static const char *const choices[] = {"", "", " ", "\t", " \t "};
    append(buffer, choices[fuzz_take_below(input, COUNT_OF(choices))]);
}

static void append_in_some_case(jz_buffer *buffer, const char *name, fuzz_input *input)
{
    uint8_t capitals = fuzz_take_byte(input);
    for (size_t i = 0; name[i] != '\0'; i++) {
        bool is_capital = (capitals >> i % 8 & 1) != 0;
        const char letter[] = {(char)(is_capital ? toupper((unsigned char)name[i]) : name[i]), '\0'};
        append(buffer, letter);
    }
}

/* The value as a token or as a quoted string, perhaps with a backslash that means nothing. */
static void append_value(jz_buffer *buffer, const char *value, fuzz_input *input)
{
    static const char *const quotes[][2] = {{"", ""}, {"\"", "\""}, {"\"\\", "\""}};
    const char *const *quote = quotes[fuzz_take_below(input, COUNT_OF(quotes))];
    append_white_space(buffer, input);
    append(buffer, "=");
    append_white_space(buffer, input);
    append(buffer, quote[0]);
    append(buffer, value);
    append(buffer, quote[1]);
}

static void enter_flag(written_header *header, bool *flag, bool has_value)
{
    header->is_deflate = header->is_deflate && !has_value && !*flag;
    *flag = true;
}

/* Writes one parameter, and records its meaning. */
static void write_parameter(written_header *header, fuzz_input *input)
{
    static const char *const names[] = {"server_no_context_takeover", "client_no_context_takeover",
                                        "server_max_window_bits", "client_max_window_bits", "x-unknown"};
    static const char *const values[] = {"8", "9", "10", "11", "12", "13", "14", "15",
                                         "0", "7", "16", "08", "1",  "8a", "150"};
    uint8_t name = fuzz_take_below(input, COUNT_OF(names));
    bool has_value = (fuzz_take_byte(input) & 1) != 0;
    uint8_t value = fuzz_take_below(input, COUNT_OF(values));
    append_white_space(&header->value, input);
    append(&header->value, ";");
    append_white_space(&header->value, input);
    append_in_some_case(&header->value, names[name], input);
    if (has_value)
        append_value(&header->value, values[value], input);

    uint8_t bits = value < 8 ? (uint8_t)(8 + value) : 0;
    jz_deflate_offer *offer = &header->offer;
    if (name == 0) {
        enter_flag(header, &offer->server_no_context_takeover, has_value);
    } else if (name == 1) {
        enter_flag(header, &offer->client_no_context_takeover, has_value);
    } else if (name == 2) {
        header->is_deflate = header->is_deflate && has_value && bits != 0 && offer->server_max_window_bits == 0;
        offer->server_max_window_bits = bits;
    } else if (name == 3) {
        header->is_deflate = header->is_deflate && (!has_value || bits != 0) && !offer->has_client_max_window_bits;
        offer->has_client_max_window_bits = true;
        offer->client_max_window_bits = has_value ? bits : 0;
    } else {
        header->is_deflate = false;
    }
}

static void write_extension(written_header *header, fuzz_input *input)
{
    bool is_deflate = fuzz_take_below(input, 8) != 7;
    *header = (written_header){.is_deflate = is_deflate};
    append_white_space(&header->value, input);
    append_in_some_case(&header->value, is_deflate ? "permessage-deflate" : "x-permessage-deflate", input);
    for (uint8_t rest = fuzz_take_below(input, 6); rest > 0; rest--)
        write_parameter(header, input);
    append_white_space(&header->value, input);
}

static bool is_same_offer(const jz_deflate_offer *a, const jz_deflate_offer *b)
{
    return a->server_no_context_takeover == b->server_no_context_takeover &&
           a->client_no_context_takeover == b->client_no_context_takeover &&
           a->has_client_max_window_bits == b->has_client_max_window_bits &&
           a->client_max_window_bits == b->client_max_window_bits &&
           a->server_max_window_bits == b->server_max_window_bits;
}

/* Two extensions, separated by a comma: they are parsed as written, and the first ends where the second begins. */
static void write_and_read(fuzz_input *input)
{
    written_header headers[2];
    jz_buffer whole = {0};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        write_extension(&headers[i], input);
        append(&whole, i > 0 ? "," : "");
        require(jz_buffer_append(&whole, headers[i].value.bytes, headers[i].value.length), "the fuzzer has memory");
    }
    jz_text rest = {(const char *)whole.bytes, whole.length};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        jz_deflate_offer offer = {0};
        jz_extension_result result = jz_extension_header_take(&rest, &offer);
        require(result == (headers[i].is_deflate ? JZ_EXTENSION_DEFLATE : JZ_EXTENSION_DECLINED),
                "an offer is accepted exactly where each of its parameters is legal and there once");
        require(!headers[i].is_deflate || is_same_offer(&offer, &headers[i].offer), "what is written is what is read");
        jz_buffer_free(&headers[i].value);
    }
    require(rest.length == 0, "nothing is left");
    jz_buffer_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_input input = {bytes, length};
    bool is_written = (fuzz_take_byte(&input) & 1) != 0;
    if (is_written) {
        write_and_read(&input);
        return 0;
    }
    jz_deflate_options options = {.memory_level = 8, .level = 6};
    options.mode = (jz_deflate_mode)fuzz_take_below(&input, 3);
    options.window_bits = (uint8_t)(9 + fuzz_take_below(&input, 7));
    negotiate(input, &options);
    return 0;
}
