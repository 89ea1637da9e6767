#define _POSIX_C_SOURCE 200809L

#include "codec/date.h"

#include <stdio.h>

const char *jz_date_now(jz_date *date)
{
    /* strftime would depend on the program's locale. */
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm utc;
    if ((now != date->second || date->text[0] == '\0') && gmtime_r(&now, &utc) != NULL) {
        char text[96];
        snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday % 7], utc.tm_mday,
                 months[utc.tm_mon % 12], (utc.tm_year + 1900) % 10000, utc.tm_hour, utc.tm_min, utc.tm_sec);
        snprintf(date->text, sizeof date->text, "%.*s", JZ_DATE_LENGTH, text);
        date->second = now;
    }
    return date->text;
}
