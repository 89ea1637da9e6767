/* Parses the owner of a file, given by name or number. */
#define _GNU_SOURCE

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loop/listening_socket.h"
#include "loop/report.h"

enum { MOST_NAME = 256, MOST_DIGITS = 10, MOST_ENTRY = 1 << 20 };

/*
 * Looks up a user or group, with `size` bytes of memory for its entry. Returns 0, or an errno. `is_found`: it exists.
 */
typedef int (*look_up)(const char *name, char *bytes, size_t size, bool *is_found, uint32_t *id);

static int look_up_user(const char *name, char *bytes, size_t size, bool *is_found, uint32_t *id)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int reason = getpwnam_r(name, &entry, bytes, size, &found);
    *is_found = found != NULL;
    if (found != NULL)
        *id = entry.pw_uid;
    return reason;
}

static int look_up_group(const char *name, char *bytes, size_t size, bool *is_found, uint32_t *id)
{
    struct group entry;
    struct group *found = NULL;
    int reason = getgrnam_r(name, &entry, bytes, size, &found);
    *is_found = found != NULL;
    if (found != NULL)
        *id = entry.gr_gid;
    return reason;
}

/* Parses an id; UINT32_MAX is refused, because for chown it means "unchanged". */
static bool read_number(const char *text, uint32_t *id)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > MOST_DIGITS || text[length] != '\0')
        return false;
    unsigned long long number = strtoull(text, NULL, 10);
    *id = (uint32_t)number;
    return number < JZ_SAME_OWNER;
}

/* Retries with more memory, because the entry of a group with many members is large. */
static bool find(const char *name, look_up look_up, uint32_t *id)
{
    bool is_found = false;
    int reason = ERANGE;
    for (size_t size = 4096; reason == ERANGE && size <= MOST_ENTRY; size *= 4) {
        char *bytes = malloc(size);
        if (bytes == NULL)
            return false;
        reason = look_up(name, bytes, size, &is_found, id);
        free(bytes);
    }
    return is_found || read_number(name, id);
}

jz_status jz_file_rights_parse_owner(const char *owner, jz_file_rights *rights, jz_error *error)
{
    char user[MOST_NAME];
    rights->user = JZ_SAME_OWNER;
    rights->group = JZ_SAME_OWNER;
    if (owner == NULL)
        return JZ_OK;
    size_t length = strcspn(owner, ":");
    const char *group = owner[length] == ':' ? owner + length + 1 : NULL;
    bool is_known = length < sizeof user && owner[0] != '\0' && (group == NULL || group[0] != '\0');
    if (is_known) {
        memcpy(user, owner, length);
        user[length] = '\0';
    }
    if (is_known && length > 0)
        is_known = find(user, look_up_user, &rights->user);
    if (is_known && group != NULL)
        is_known = find(group, look_up_group, &rights->group);
    if (is_known)
        return JZ_OK;
    return jz_report(
        error, JZ_STATUS_INVALID_ADDRESS,
        "cannot listen on a Unix domain socket of the owner \"%.60s\": it has to be \"user\", \"user:group\" "
        "or \":group\", of names that this system knows, or of numbers",
        owner);
}
