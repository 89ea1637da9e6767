#define _POSIX_C_SOURCE 200809L

#include "codec/date.h"

#include <stdio.h>
#include <string.h>

/* strftime would depend on the program's locale. */
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void jz_date_format(int64_t seconds, char formatted[JZ_DATE_LENGTH + 1])
{
    struct tm utc = {0};
    char text[96];
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &utc) == NULL)
        utc = (struct tm){.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
    snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday % 7], utc.tm_mday,
             months[utc.tm_mon % 12], (utc.tm_year + 1900) % 10000, utc.tm_hour, utc.tm_min, utc.tm_sec);
    snprintf(formatted, JZ_DATE_LENGTH + 1, "%.*s", JZ_DATE_LENGTH, text);
}

const char *jz_date_now(jz_date *date)
{
    time_t now = time(NULL);
    if (now != date->second || date->text[0] == '\0') {
        jz_date_format((int64_t)now, date->text);
        date->second = now;
    }
    return date->text;
}

/* The number of `count` digits; -1 if there is anything else. */
static int number_at(jz_text text, size_t position, size_t count)
{
    int number = 0;
    for (size_t i = position; i < position + count; i++) {
        if (text.start[i] < '0' || text.start[i] > '9')
            return -1;
        number = number * 10 + (text.start[i] - '0');
    }
    return number;
}

/* The place of a name of three letters in a list; -1 if it is not there. */
static int place_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (memcmp(names[i], name, 3) == 0)
            return i;
    }
    return -1;
}

/* Days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_since_1970(int64_t year, int month, int day)
{
    year -= month < 2 ? 1 : 0;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month < 2 ? month + 10 : month - 2) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

bool jz_date_parse(jz_text text, int64_t *seconds)
{
    /* As in "Sun, 06 Nov 1994 08:49:37 GMT". */
    static const char form[] = "???, ?? ??? ???? ??:??:?? GMT";
    if (text.length != JZ_DATE_LENGTH)
        return false;
    for (size_t i = 0; i < JZ_DATE_LENGTH; i++) {
        if (form[i] != '?' && text.start[i] != form[i])
            return false;
    }
    int month = place_of(months, 12, text.start + 8);
    int day = number_at(text, 5, 2);
    int year = number_at(text, 12, 4);
    int hour = number_at(text, 17, 2);
    int minute = number_at(text, 20, 2);
    int second = number_at(text, 23, 2);
    if (place_of(days, 7, text.start) < 0 || month < 0 || day < 1 || day > 31 || year < 1 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    *seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return true;
}
