#include "codec/content_type.h"

static const struct {
    const char *extension;
    const char *content_type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"xml", "application/xml"},
    {"atom", "application/atom+xml"},
    {"rss", "application/rss+xml"},
    {"ics", "text/calendar; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/vnd.microsoft.icon"},
    {"bmp", "image/bmp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"wasm", "application/wasm"},
    {"pdf", "application/pdf"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"m4a", "audio/mp4"},
    {"wav", "audio/wav"},
    {"flac", "audio/flac"},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"webm", "video/webm"},
    {"ogv", "video/ogg"},
    {"mov", "video/quicktime"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
};

const char *jz_content_type_of(jz_text name)
{
    size_t begin = name.length;
    while (begin > 0 && name.start[begin - 1] != '.' && name.start[begin - 1] != '/')
        begin--;
    if (begin > 0 && name.start[begin - 1] == '.') {
        jz_text extension = {name.start + begin, name.length - begin};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            if (jz_text_equals_ignoring_case(extension, jz_text_of(types[i].extension)))
                return types[i].content_type;
        }
    }
    return "application/octet-stream";
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool ends_with(jz_text text, const char *end)
{
    size_t length = strlen(end);
    return text.length >= length && memcmp(text.start + text.length - length, end, length) == 0;
}

bool jz_content_is_compressible(const char *content_type)
{
    static const char *const others[] = {
        "application/json", "application/javascript",   "application/xml", "application/wasm",
        "image/bmp",        "image/vnd.microsoft.icon", "font/ttf",        "font/otf",
        "application/x-tar"};
    jz_text essence = {content_type, strcspn(content_type, "; ")};
    if (begins_with(content_type, "text/") || ends_with(essence, "+json") || ends_with(essence, "+xml"))
        return true;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (jz_text_equals_ignoring_case(essence, jz_text_of(others[i])))
            return true;
    }
    return false;
}
