#include "contexts/label.h"

#include <stdio.h>
#include <string.h>

#include "jazzy/log.h"

enum { LONGEST_PATH = 90 };

jz_tls_label jz_tls_label_of(const char *what, const char *file, size_t number)
{
    jz_tls_label label;
    char path[LONGEST_PATH + 1];
    if (file == NULL) {
        snprintf(label.text, sizeof label.text, "%s %zu in memory", what, number);
        return label;
    }
    /* The end tells more than the beginning. As escaped text may be longer, it may be cut at the end, too. */
    size_t length = strlen(file);
    const char *cut = length > LONGEST_PATH ? "..." : "";
    size_t skipped = length > LONGEST_PATH ? length - LONGEST_PATH + strlen(cut) : 0;
    while ((file[skipped] & 0xc0) == 0x80)
        skipped++; /* not the middle of a character */
    jz_log_escape(file + skipped, length - skipped, path, sizeof path);
    snprintf(label.text, sizeof label.text, "%s file \"%s%s\"", what, cut, path);
    return label;
}
