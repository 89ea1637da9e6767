/*
 * X-Forwarded-For and Forwarded: arbitrary lines, which must not hide or change what a proxy appends; and lists with a
 * known client.
 */
#include "codec/authority.h"
#include "codec/forwarded.h"

#include "session/buffer.h"
#include "support/fuzz_input.h"
#include "support/plain_text.h"

enum { MAX_LINES = 8 };

typedef bool client_function(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                             jz_address *client);

static const char *const trusted_networks[] = {"10.0.0.0/8", "fd00::/8", "unix"};

/* The client; all zero means nobody, because no element can name that. */
static jz_address find_client(client_function *function, const jz_request_head *head)
{
    static const jz_address nobody = {0};
    jz_network trusted[COUNT_OF(trusted_networks)];
    for (size_t i = 0; i < COUNT_OF(trusted); i++)
        require(jz_network_parse(jz_text_of(trusted_networks[i]), &trusted[i]), "the networks are well-formed");
    jz_address client = {0};
    bool is_told = function(head, trusted, COUNT_OF(trusted), &client);
    require(is_told == (memcmp(client.ip, nobody.ip, sizeof nobody.ip) != 0), "who is told has an address");
    require(is_told || client.port == 0, "nobody has no port");
    return client;
}

static bool is_same_address(const jz_address *a, const jz_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port;
}

/* Each line of the input is the value of one header of that name, in memory of its own. */
static void read_lines(fuzz_input input, const char *name, jz_request_head *head)
{
    while (input.length > 0 && head->header_count < MAX_LINES) {
        const uint8_t *end = memchr(input.bytes, '\n', input.length);
        fuzz_input line = fuzz_take_bytes(&input, end != NULL ? (size_t)(end - input.bytes) : input.length);
        fuzz_take_byte(&input);
        jz_text value = {fuzz_copy(line.bytes, line.length), line.length};
        head->headers[head->header_count++] = (jz_header){jz_text_of(name), value};
    }
}

static void free_lines(jz_request_head *head)
{
    for (size_t i = 0; i < head->header_count; i++)
        free((void *)head->headers[i].value.start);
}

static void append_text(jz_buffer *buffer, jz_text text)
{
    require(jz_buffer_append(buffer, text.start, text.length), "the fuzzer has memory");
}

/* Appends elements as proxies do, to the last line and as a new line: they mean the same after any content. */
static void append_to_any(const jz_request_head *head, client_function *function, const char *appended)
{
    jz_request_head alone = {.header_count = 1};
    alone.headers[0] = (jz_header){head->headers[0].name, jz_text_of(appended)};
    jz_address expected = find_client(function, &alone);

    jz_request_head longer = *head;
    longer.headers[longer.header_count++] = alone.headers[0];
    jz_address client = find_client(function, &longer);
    require(is_same_address(&client, &expected), "an appended line tells of whom it names");

    jz_buffer line = {0};
    append_text(&line, head->headers[head->header_count - 1].value);
    append_text(&line, jz_text_of(", "));
    append_text(&line, jz_text_of(appended));
    longer = *head;
    longer.headers[longer.header_count - 1].value = (jz_text){(const char *)line.bytes, line.length};
    client = find_client(function, &longer);
    require(is_same_address(&client, &expected), "an appended element tells of whom it names");
    jz_buffer_free(&line);
}

static bool is_trusted_plainly(const jz_address *address)
{
    static const uint8_t ten[13] = {[10] = 0xFF, [11] = 0xFF, [12] = 10};
    return address->ip[0] == 0xFD || memcmp(address->ip, ten, sizeof ten) == 0;
}

/*
 * The client of a list when this element is appended, given the client before (all zero: nobody). This defines the
 * result from the front, without walking backwards.
 */
static void tell(jz_address *client, bool is_address, const jz_address *named)
{
    static const jz_address nobody = {0};
    if (!is_address)
        *client = nobody;
    else if (!is_trusted_plainly(named) || is_same_address(client, &nobody))
        *client = *named;
}

static jz_address read_x_forwarded_for_plainly(const jz_request_head *head)
{
    jz_address client = {0};
    for (size_t i = 0; i < head->header_count; i++) {
        jz_text value = head->headers[i].value;
        for (size_t start = 0, end = 0; end <= value.length; end++) {
            if (end < value.length && value.start[end] != ',')
                continue;
            jz_text element = jz_text_trim((jz_text){value.start + start, end - start});
            jz_address named = {0};
            if (element.length > 0) {
                bool is_address = jz_address_parse(element, &named);
                tell(&client, is_address, &named);
            }
            start = end + 1;
        }
    }
    return client;
}

/* The proxy's element counts, whatever the client wrote before it, and the result is a host or nothing. */
static void check_hosts(const jz_request_head *head)
{
    jz_host_value host;
    jz_network trusted[COUNT_OF(trusted_networks)];
    for (size_t i = 0; i < COUNT_OF(trusted); i++)
        jz_network_parse(jz_text_of(trusted_networks[i]), &trusted[i]);
    bool is_forwarded = plain_is(head->headers[0].name, "forwarded");
    for (int is_appended = 0; is_appended <= 1; is_appended++) {
        jz_request_head told = *head;
        if (is_appended)
            told.headers[told.header_count++] =
                (jz_header){head->headers[0].name,
                            jz_text_of(is_forwarded ? "host=\"example.com:81\";for=198.51.100.7" : "example.com:81")};
        bool is_told = is_forwarded ? jz_forwarded_host_of(&told, trusted, COUNT_OF(trusted), &host)
                                    : jz_x_forwarded_host(&told, &host);
        jz_text text = {host.bytes, is_told ? host.length : 0};
        require(text.length == 0 || jz_authority_is_valid(text), "what is told is a host or nothing");
        require(!is_appended || plain_is(text, "example.com:81"), "the host that a proxy appends is what counts");
    }
}

static void read_arbitrary_lines(fuzz_input input)
{
    jz_request_head head = {0};
    read_lines(input, "x-forwarded-for", &head);
    if (head.header_count > 0) {
        jz_address client = find_client(jz_x_forwarded_for, &head);
        jz_address expected = read_x_forwarded_for_plainly(&head);
        require(is_same_address(&client, &expected), "the last element that is not trusted is the client");
        append_to_any(&head, jz_x_forwarded_for, "198.51.100.7");
        append_to_any(&head, jz_x_forwarded_for, "[2001:db8::7]:4711, 10.0.0.1");
    }
    for (size_t i = 0; i < head.header_count; i++)
        head.headers[i].name = jz_text_of("x-forwarded-host");
    if (head.header_count > 0)
        check_hosts(&head);
    for (size_t i = 0; i < head.header_count; i++)
        head.headers[i].name = jz_text_of("forwarded");
    if (head.header_count > 0) {
        check_hosts(&head);
        find_client(jz_forwarded, &head);
        append_to_any(&head, jz_forwarded, "for=198.51.100.7;proto=https");
        append_to_any(&head, jz_forwarded, "host=\"a,\\\"\\\\\";for=\"[2001:db8::7]:4711\", for=\"10.0.0.1\"");
    }
    free_lines(&head);
}

static void append_literal(jz_buffer *buffer, const char *literal)
{
    append_text(buffer, jz_text_of(literal));
}

/* The value as a quoted string, with backslashes that mean nothing, or as it is where it is a token. */
static void append_value(jz_buffer *buffer, const char *value, fuzz_input *input)
{
    uint8_t escaped = fuzz_take_byte(input);
    if (plain_is_token(jz_text_of(value)) && (escaped & 1) != 0) {
        append_literal(buffer, value);
        return;
    }
    append_literal(buffer, "\"");
    for (size_t i = 0; value[i] != '\0'; i++) {
        bool is_special = value[i] == '"' || value[i] == '\\';
        append_literal(buffer, is_special || (escaped >> i % 8 & 1) != 0 ? "\\" : "");
        append_text(buffer, (jz_text){value + i, 1});
    }
    append_literal(buffer, "\"");
}

static void append_other_pair(jz_buffer *buffer, fuzz_input *input)
{
    static const char *const names[] = {"by=", "host=", "proto=", "x-for="};
    static const char *const values[] = {"http", "10.0.0.1",        "_proxy", "a,b", "\"",
                                         "\\",   "\",for=10.0.0.2", ";for=x", ""};
    append_literal(buffer, names[fuzz_take_below(input, COUNT_OF(names))]);
    append_value(buffer, values[fuzz_take_below(input, COUNT_OF(values))], input);
}

/* The "for" of an element, and its address. */
static const struct {
    const char *node;
    const char *address;
} nodes[] = {
    {"10.0.0.1", "10.0.0.1"},
    {"10.0.0.2:80", "10.0.0.2:80"},
    {"[fd00::1]", "fd00::1"},
    {"[fd00::2]:80", "[fd00::2]:80"},
    {"10.0.0.3:_port", "10.0.0.3"},
    {"198.51.100.7", "198.51.100.7"},
    {"198.51.100.8:65535", "198.51.100.8:65535"},
    {"[2001:db8::7]:_port", "2001:db8::7"},
    {"[2001:db8::8]:4711", "[2001:db8::8]:4711"},
    {"unknown", NULL},
    {"_hidden", NULL},
    {"_hidden:_port", NULL},
    {"unix", NULL},
    {"", NULL},
};

/* Writes an element, and returns whom it names. */
static void write_element(jz_buffer *line, fuzz_input *input, jz_address *client)
{
    static const char *const spellings[] = {"for=", "For=", "FOR="};
    static const char *const separators[] = {";", " ; ", ";;", "\t;"};
    const char *separator = separators[fuzz_take_below(input, COUNT_OF(separators))];
    size_t node = fuzz_take_below(input, COUNT_OF(nodes));
    size_t before = fuzz_take_below(input, 3);
    size_t after = fuzz_take_below(input, 3);
    for (size_t i = 0; i < before; i++) {
        append_other_pair(line, input);
        append_literal(line, separator);
    }
    append_literal(line, spellings[fuzz_take_below(input, COUNT_OF(spellings))]);
    append_value(line, nodes[node].node, input);
    for (size_t i = 0; i < after; i++) {
        append_literal(line, separator);
        append_other_pair(line, input);
    }
    jz_address named = {0};
    bool is_address = nodes[node].address != NULL;
    require(!is_address || jz_address_parse(jz_text_of(nodes[node].address), &named), "addresses are well-formed");
    tell(client, is_address, &named);
}

/* Lists over several lines must name the intended client. */
static void write_and_read(fuzz_input input)
{
    static const char *const commas[] = {",", ", ", " ,\t", ",, ,"};
    jz_request_head head = {0};
    jz_buffer lines[MAX_LINES] = {0};
    jz_address expected = {0};
    head.header_count = 1 + (size_t)fuzz_take_below(&input, MAX_LINES);
    for (size_t i = 0; i < head.header_count; i++) {
        for (uint8_t rest = fuzz_take_below(&input, 4); rest > 0; rest--) {
            append_literal(&lines[i], commas[fuzz_take_below(&input, COUNT_OF(commas))]);
            write_element(&lines[i], &input, &expected);
        }
        head.headers[i] = (jz_header){jz_text_of("Forwarded"), {(const char *)lines[i].bytes, lines[i].length}};
    }
    jz_address client = find_client(jz_forwarded, &head);
    require(is_same_address(&client, &expected), "lists tell of whom they were written to tell of");
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        jz_buffer_free(&lines[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_arbitrary_lines((fuzz_input){bytes, length});
    write_and_read((fuzz_input){bytes, length});
    return 0;
}
