#include "contexts/source.h"

#include <string.h>

#include "contexts/report.h"

/* The length, too, so that what one source loses another cannot gain. Nothing is allocated, so that it cannot fail. */
void jz_tls_reading_note(jz_tls_reading *reading, const uint8_t *bytes, size_t length)
{
    uint64_t whole = length;
    EVP_DigestUpdate(reading->digest, &whole, sizeof whole);
    EVP_DigestUpdate(reading->digest, bytes, length);
}

jz_status jz_tls_source_open(jz_tls_source *source, jz_tls_reading *reading, const char *what, size_t number,
                             const char *file, const void *memory, size_t length, jz_error *error)
{
    *source = (jz_tls_source){.pem = {.label = jz_tls_label_of(what, file, number),
                                      .bytes = memory,
                                      .length = length,
                                      .library = reading->library}};
    if (file != NULL) {
        jz_status status = jz_tls_read_file(file, &source->pem.label, &source->content, error);
        if (status != JZ_OK)
            return status;
        source->pem.bytes = source->content.bytes;
        source->pem.length = source->content.length;
    } else if (length == 0) {
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s has a length of 0; give its bytes",
                             source->pem.label.text);
    }
    jz_tls_reading_note(reading, source->pem.bytes, source->pem.length);
    return JZ_OK;
}

void jz_tls_source_close(jz_tls_source *source)
{
    jz_tls_content_erase(&source->content);
}
