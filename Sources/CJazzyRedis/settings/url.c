#include "settings/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "settings/report.h"
#include "settings/text.h"

enum { REDIS_PORT = 6379, SENTINEL_PORT = 26379, MOST_PORT = 65535, MOST_DATABASE = 0x7FFFFFFF };

static const struct scheme {
    const char *name;
    jz_redis_where where;
    bool is_tls;
    const char *form;
} schemes[] = {
    {"redis://", JZ_REDIS_AT_HOST, false, "redis://[[user]:password@]host[:port][/db]"},
    {"rediss://", JZ_REDIS_AT_HOST, true, "rediss://[[user]:password@]host[:port][/db]"},
    {"unix://", JZ_REDIS_AT_PATH, false, "unix://[[user]:password@]/path[?db=N]"},
    {"redis-sentinel://", JZ_REDIS_AT_SENTINEL, false,
     "redis-sentinel://[[user]:password@]host[:port],host[:port].../name[/db]"},
    {"rediss-sentinel://", JZ_REDIS_AT_SENTINEL, true,
     "rediss-sentinel://[[user]:password@]host[:port],host[:port].../name[/db]"},
};

/* What is read of a URL, and where it goes. */
typedef struct reading {
    const struct scheme *scheme;
    jz_redis_url *url;
    jz_error *error;
} reading;

/* `what` is never from the URL but where it can have no password. */
static jz_status refuse(const reading *r, const char *what)
{
    return jz_redis_report(r->error, JZ_STATUS_INVALID_OPTION, "the url of Redis %s: it is written %s", what,
                           r->scheme->form);
}

/* Makes a copy with %XX decoded. */
static jz_status decode(const reading *r, jz_redis_text text, char **copy, const char *what)
{
    if (!jz_redis_text_decode(text, copy))
        return refuse(r, what);
    return *copy != NULL ? JZ_OK : jz_redis_report_no_memory(r->error);
}

static jz_status read_user(const reading *r, jz_redis_text text)
{
    size_t colon = jz_redis_text_first(text, ":");
    if (colon == text.length)
        return refuse(r, "names a user without a password");
    jz_redis_text user = jz_redis_text_take(&text, colon, true);
    if (user.length == 0 && text.length == 0)
        return refuse(r, "has an empty password");
    jz_status status = JZ_OK;
    if (user.length > 0)
        status =
            decode(r, user, &r->url->user, "has a user with a % that two hexadecimal digits do not follow, or %00");
    if (status != JZ_OK)
        return status;
    return decode(r, text, &r->url->password,
                  "has a password with a % that two hexadecimal digits do not follow, or %00 (write % as %25)");
}

static bool is_name(jz_redis_text text, bool is_in_brackets)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.start[i];
        bool is_alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!is_alphanumeric && (c == '\0' || strchr(is_in_brackets ? ":.%" : "-._", c) == NULL))
            return false;
    }
    return text.length > 0;
}

static jz_status read_port(const reading *r, jz_redis_text text, jz_redis_host *host)
{
    unsigned long port = r->url->where == JZ_REDIS_AT_SENTINEL ? SENTINEL_PORT : REDIS_PORT;
    if (text.length > 0) {
        if (!jz_redis_text_skip(&text, ":"))
            return refuse(r, "has something between ']' and the port");
        if (!jz_redis_text_number(text, MOST_PORT, &port) || port == 0)
            return refuse(r, "has a port that is not a number from 1 to 65535");
    }
    host->port = (uint16_t)port;
    return JZ_OK;
}

static jz_status read_host(const reading *r, jz_redis_text text, jz_redis_host *host)
{
    if (text.length == 0)
        return refuse(r, "names no host");
    bool is_in_brackets = jz_redis_text_skip(&text, "[");
    size_t end = jz_redis_text_first(text, is_in_brackets ? "]" : ":");
    if (is_in_brackets && end == text.length)
        return refuse(r, "has no ']' behind its '['");
    jz_redis_text name = jz_redis_text_take(&text, end, is_in_brackets);
    if (!is_in_brackets && jz_redis_text_last(text, ':') != 0 && text.length > 0)
        return refuse(r, "has several ':' in a host: an address of IPv6 stands in brackets");
    if (!is_name(name, is_in_brackets))
        return refuse(r, "has a host that is none");
    jz_status status = decode(r, name, &host->name, "has a host with a % that two hexadecimal digits do not follow");
    return status == JZ_OK ? read_port(r, text, host) : status;
}

static jz_status read_hosts(const reading *r, jz_redis_text text)
{
    size_t count = 1;
    for (size_t i = 0; r->url->where == JZ_REDIS_AT_SENTINEL && i < text.length; i++)
        count += text.start[i] == ',';
    r->url->hosts = calloc(count, sizeof *r->url->hosts);
    if (r->url->hosts == NULL)
        return jz_redis_report_no_memory(r->error);
    for (; r->url->host_count < count; r->url->host_count++) {
        bool is_last = r->url->host_count + 1 == count;
        size_t length = is_last ? text.length : jz_redis_text_first(text, ",");
        jz_status status =
            read_host(r, jz_redis_text_take(&text, length, !is_last), &r->url->hosts[r->url->host_count]);
        if (status != JZ_OK) {
            r->url->host_count++; /* it may have its name */
            return status;
        }
    }
    return JZ_OK;
}

static jz_status read_database(const reading *r, jz_redis_text text)
{
    unsigned long database = 0;
    if (text.length > 0 && !jz_redis_text_number(text, MOST_DATABASE, &database))
        return refuse(r, "has a database that is not a number");
    r->url->database = (uint32_t)database;
    return JZ_OK;
}

static jz_status read_socket(const reading *r, jz_redis_text text)
{
    jz_redis_text path = jz_redis_text_take(&text, jz_redis_text_first(text, "?"), false);
    if (text.length > 0 && !jz_redis_text_skip(&text, "?db="))
        return refuse(r, "has something else than db behind its '?'");
    jz_status status = decode(r, path, &r->url->path, "has a path with a % that two hexadecimal digits do not follow");
    if (status != JZ_OK)
        return status;
    if (strlen(r->url->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(r, "has a path that is too long for a unix socket");
    return read_database(r, text);
}

/* What follows the hosts: the name of a master, if Sentinels are asked, and the database. */
static jz_status read_place(const reading *r, jz_redis_text text)
{
    if (jz_redis_text_first(text, "?#") < text.length)
        return refuse(r, "has a '?' or '#', and nothing that may follow it");
    if (r->url->where == JZ_REDIS_AT_SENTINEL) {
        size_t slash = jz_redis_text_first(text, "/");
        jz_redis_text name = jz_redis_text_take(&text, slash, slash < text.length);
        if (name.length == 0)
            return refuse(r, "does not say by which name the Sentinels know the master");
        jz_status status =
            decode(r, name, &r->url->master, "has a name with a % that two hexadecimal digits do not follow");
        if (status != JZ_OK)
            return status;
    }
    return read_database(r, text);
}

/* Whether there is an '@' where none can be: behind a '/', '?' or '#' of the password. */
static bool has_stray_at(const reading *r, jz_redis_text text, size_t end)
{
    bool may_be_of_a_path = r->url->where == JZ_REDIS_AT_PATH && (end == 0 || text.start[end - 1] == '@');
    (void)jz_redis_text_take(&text, end, false);
    return !may_be_of_a_path && jz_redis_text_first(text, "@") < text.length;
}

static jz_status read(const reading *r, jz_redis_text text)
{
    size_t end = jz_redis_text_first(text, "/?#");
    /* Before anything is said of a host or port that may be a password. */
    if (has_stray_at(r, text, end))
        return refuse(r, "has an '@' behind a '/', '?' or '#': in a password these are %2F, %3F and %23");
    jz_redis_text authority = jz_redis_text_take(&text, end, false);
    size_t at = jz_redis_text_last(authority, '@');
    if (at < authority.length) {
        jz_status status = read_user(r, jz_redis_text_take(&authority, at, true));
        if (status != JZ_OK)
            return status;
    }
    if (r->url->where == JZ_REDIS_AT_PATH)
        return authority.length == 0 && text.length > 0 && text.start[0] == '/'
                   ? read_socket(r, text)
                   : refuse(r, "has a path that does not begin with '/'");
    jz_status status = read_hosts(r, authority);
    if (status != JZ_OK)
        return status;
    (void)jz_redis_text_skip(&text, "/");
    return read_place(r, text);
}

jz_status jz_redis_url_parse(const char *text, jz_redis_url *url, jz_error *error)
{
    *url = (jz_redis_url){0};
    jz_redis_text rest = jz_redis_text_of(text);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!jz_redis_text_skip(&rest, schemes[i].name))
            continue;
        url->where = schemes[i].where;
        url->is_tls = schemes[i].is_tls;
        return read(&(reading){&schemes[i], url, error}, rest);
    }
    return jz_redis_report(
        error, JZ_STATUS_INVALID_OPTION,
        "the url of Redis has to begin with redis://, rediss://, unix://, redis-sentinel:// or rediss-sentinel://, as "
        "in redis://127.0.0.1:6379");
}

void jz_redis_url_clear(jz_redis_url *url)
{
    for (size_t i = 0; i < url->host_count; i++)
        jz_redis_text_free(url->hosts[i].name);
    free(url->hosts);
    jz_redis_text_free(url->path);
    jz_redis_text_free(url->master);
    jz_redis_text_free(url->user);
    jz_redis_text_free(url->password);
    *url = (jz_redis_url){0};
}

/* Appends as much as fits. */
static size_t append_host(const jz_redis_host *host, char *to, size_t capacity, size_t length)
{
    if (length >= capacity)
        return length;
    const char *format = strchr(host->name, ':') != NULL ? "[%s]:%u" : "%s:%u";
    int added = snprintf(to + length, capacity - length, format, host->name, (unsigned)host->port);
    return length + (added > 0 ? (size_t)added : 0);
}

void jz_redis_url_describe(const jz_redis_url *url, char *to, size_t capacity)
{
    int length = 0;
    if (url->where == JZ_REDIS_AT_PATH) {
        (void)snprintf(to, capacity, "%s", url->path);
        return;
    }
    if (url->where == JZ_REDIS_AT_SENTINEL)
        length = snprintf(to, capacity, "%s of the Sentinels at ", url->master);
    size_t end = length > 0 ? (size_t)length : 0;
    for (size_t i = 0; i < url->host_count; i++) {
        if (i > 0 && end < capacity)
            end += (size_t)snprintf(to + end, capacity - end, ", ");
        end = append_host(&url->hosts[i], to, capacity, end);
    }
}
