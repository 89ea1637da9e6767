/* URLs of Redis: arbitrary texts, whose errors never show a password; and URLs that are written, with known parts. */
#include "settings/url.h"

#include "support/fuzz_input.h"

enum { MOST_PART = 24, MOST_URL = 1024, MOST_HOSTS = 3 };

/* A part of a URL as it is meant, and the URL so far. */
typedef struct part {
    char bytes[MOST_PART + 1];
} part;

typedef struct url_text {
    char bytes[MOST_URL];
    size_t length;
} url_text;

static void append(url_text *url, const char *text)
{
    size_t length = strlen(text);
    memcpy(url->bytes + url->length, text, length + 1);
    url->length += length;
}

static void require_sound(const jz_redis_url *url)
{
    require((url->where == JZ_REDIS_AT_PATH) == (url->path != NULL), "a socket has a path");
    require((url->where == JZ_REDIS_AT_SENTINEL) == (url->master != NULL), "Sentinels are asked for a name");
    require((url->where == JZ_REDIS_AT_PATH) == (url->host_count == 0), "without a socket there is a host");
    require(url->where == JZ_REDIS_AT_SENTINEL || url->host_count <= 1, "only Sentinels are several");
    require(url->path == NULL || url->path[0] == '/', "a path is absolute");
    require(url->user == NULL || (url->user[0] != '\0' && url->password != NULL), "a user has a name and a password");
    for (size_t i = 0; i < url->host_count; i++)
        require(url->hosts[i].name[0] != '\0' && url->hosts[i].port > 0, "a host has a name and a port");
}

static void require_says_nothing_of(const jz_error *error, const char *secret)
{
    require(error->status == JZ_STATUS_INVALID_OPTION, "a URL is refused for what it is");
    require(strlen(error->message) > 0 && strlen(error->message) < sizeof error->message - 1, "the error is whole");
    require(strstr(error->message, secret) == NULL, "no error shows a password");
}

static void read_arbitrary_text(fuzz_input input)
{
    char *text = fuzz_allocate(input.length + 1);
    if (input.length > 0)
        memcpy(text, input.bytes, input.length);
    text[input.length] = '\0';
    jz_redis_url url;
    jz_error error = {0};
    if (jz_redis_url_parse(text, &url, &error) == JZ_OK) {
        require_sound(&url);
        char *described = fuzz_allocate(1 + input.length % 32);
        jz_redis_url_describe(&url, described, 1 + input.length % 32);
        require(strlen(described) <= input.length % 32, "a description fits into its place");
        free(described);
    } else {
        require_says_nothing_of(&error, "hunter2");
    }
    jz_redis_url_clear(&url);
    free(text);
}

/* Appends a part with some of its bytes as %XX, those that have to be and others. Returns what it means. */
static part write_part(url_text *url, fuzz_input *input)
{
    part meant = {0};
    size_t length = 1 + fuzz_take_below(input, MOST_PART);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = fuzz_take_byte(input);
        byte = byte == 0 ? 'x' : byte;
        meant.bytes[i] = (char)byte;
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
        char written[4] = {(char)byte, '\0', '\0', '\0'};
        if (!is_plain || fuzz_take_below(input, 8) == 1)
            (void)snprintf(written, sizeof written, fuzz_take_below(input, 2) == 0 ? "%%%02x" : "%%%02X",
                           (unsigned)byte);
        append(url, written);
    }
    return meant;
}

static void write_host(url_text *url, fuzz_input *input, char name[8], uint16_t *port, uint16_t usual)
{
    static const char *const names[] = {"h", "a.b-c_d", "127.1", "::1", "fe::2"};
    size_t chosen = fuzz_take_below(input, COUNT_OF(names));
    bool is_long = strchr(names[chosen], ':') != NULL;
    append(url, is_long ? "[" : "");
    append(url, names[chosen]);
    append(url, is_long ? "]" : "");
    strcpy(name, names[chosen]);
    *port = fuzz_take_uint16(input);
    if (*port == 0) {
        *port = usual;
        return;
    }
    char written[8];
    (void)snprintf(written, sizeof written, ":%u", (unsigned)*port);
    append(url, written);
}

static void require_same(const char *read, const char *meant)
{
    require(read == NULL ? meant == NULL : meant != NULL && strcmp(read, meant) == 0,
            "each part is read as it is meant");
}

static void write_and_read(fuzz_input input)
{
    static const char *const schemes[] = {"redis://", "rediss://", "redis-sentinel://", "rediss-sentinel://"};
    size_t scheme = fuzz_take_below(&input, COUNT_OF(schemes));
    bool is_sentinel = scheme >= 2;
    uint8_t user_and_password = fuzz_take_below(&input, 3);
    url_text text = {0};
    part user = {0};
    part password = {0};
    part master = {0};
    append(&text, schemes[scheme]);
    if (user_and_password == 2)
        user = write_part(&text, &input);
    if (user_and_password > 0) {
        append(&text, ":");
        password = write_part(&text, &input);
        append(&text, "@");
    }
    char names[MOST_HOSTS][8];
    uint16_t ports[MOST_HOSTS];
    size_t count = is_sentinel ? 1 + fuzz_take_below(&input, MOST_HOSTS) : 1;
    for (size_t i = 0; i < count; i++) {
        append(&text, i > 0 ? "," : "");
        write_host(&text, &input, names[i], &ports[i], is_sentinel ? 26379 : 6379);
    }
    append(&text, "/");
    if (is_sentinel) {
        master = write_part(&text, &input);
        append(&text, "/");
    }
    uint16_t database = fuzz_take_uint16(&input);
    char written[8];
    (void)snprintf(written, sizeof written, "%u", (unsigned)database);
    append(&text, database > 0 ? written : "");

    jz_redis_url url;
    jz_error error = {0};
    require(jz_redis_url_parse(text.bytes, &url, &error) == JZ_OK, "what is written right can be read");
    require_sound(&url);
    require(url.is_tls == (scheme % 2 == 1) && url.database == database && url.host_count == count,
            "all is as written");
    require_same(url.user, user_and_password == 2 ? user.bytes : NULL);
    require_same(url.password, user_and_password > 0 ? password.bytes : NULL);
    require_same(url.master, is_sentinel ? master.bytes : NULL);
    for (size_t i = 0; i < count; i++) {
        require_same(url.hosts[i].name, names[i]);
        require(url.hosts[i].port == ports[i], "each port is read as it is meant");
    }
    jz_redis_url_clear(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_arbitrary_text((fuzz_input){bytes, length});
    write_and_read((fuzz_input){bytes, length});
    return 0;
}
