/* What is wrong with a generation, but does not prevent that it is used. */
#include <inttypes.h>
#include <time.h>

#include "contexts/generation.h"
#include "contexts/log.h"

enum { HOUR = 3600, DAY = 24 * HOUR, LONGEST_NOTICE = 14 * DAY };

/* How long before its end a certificate is said to expire soon: long enough for a person, unless it never lives so
 * long. */
static int64_t notice_of(const jz_tls_identity *identity)
{
    int64_t tenth = (identity->expires - identity->begins) / 10;
    return tenth < LONGEST_NOTICE ? tenth : LONGEST_NOTICE;
}

/* A time in words: "3 days", "5 hours". */
static void warn_of_time(const jz_tls_options *options, const jz_tls_identity *identity, const char *what,
                         int64_t seconds, const char *way_out)
{
    bool has_days = seconds >= 2 * DAY;
    jz_tls_log(options, JZ_LOG_WARNING, "%s %s %" PRId64 " %s%s", identity->label.text, what,
               has_days ? seconds / DAY : seconds / HOUR, has_days ? "days" : "hours", way_out);
}

static void warn_of_times(const jz_tls_identity *identity, const jz_tls_options *options)
{
    int64_t now = (int64_t)time(NULL);
    if (identity->expires <= now)
        warn_of_time(options, identity, "expired", now - identity->expires, " ago: clients refuse it; renew it");
    else if (identity->begins > now)
        warn_of_time(options, identity, "is not valid before", identity->begins - now,
                     " have passed; use it then, or look at the clock of this machine");
    else if (identity->expires - now < notice_of(identity))
        warn_of_time(options, identity, "expires in", identity->expires - now, "; renew it");
    if (identity->staple.response != NULL && identity->staple.expires <= now)
        jz_tls_log(options, JZ_LOG_WARNING,
                   "%s is not sent to clients any more: it is out of date; ask the responder "
                   "for another",
                   identity->staple_label.text);
}

/* Whoever has a certificate of it is refused then. */
static void warn_of_authorities(const jz_tls_authorities *authorities, const jz_tls_options *options)
{
    int64_t now = (int64_t)time(NULL);
    if (authorities->store == NULL || authorities->expires - now >= LONGEST_NOTICE)
        return;
    bool has_expired = authorities->expires <= now;
    int64_t days = (has_expired ? now - authorities->expires : authorities->expires - now) / DAY;
    jz_tls_log(options, JZ_LOG_WARNING, "%s has an authority that %s %" PRId64 " days%s: its clients are refused then",
               authorities->label.text, has_expired ? "expired" : "expires in", days, has_expired ? " ago" : "");
}

/* The first certificate whose issuer is not the next; 0: there is none. */
static int break_in_chain(const jz_tls_identity *identity)
{
    const X509 *issued = identity->own;
    for (int i = 0; i < sk_X509_num(identity->chain); i++) {
        const X509 *issuer = sk_X509_value(identity->chain, i);
        if (X509_NAME_cmp(X509_get_issuer_name(issued), X509_get_subject_name(issuer)) != 0)
            return i + 1;
        issued = issuer;
    }
    return 0;
}

static void warn_of(const jz_tls_identity *identity, const jz_tls_options *options)
{
    const char *label = identity->label.text;
    int number = break_in_chain(identity);
    if (number > 0)
        jz_tls_log(options, JZ_LOG_WARNING,
                   "%s is not in order: certificate %d of it is not issued by the next; clients may refuse it", label,
                   number);
    if (X509_check_purpose(identity->own, X509_PURPOSE_SSL_SERVER, 0) != 1)
        jz_tls_log(options, JZ_LOG_WARNING, "%s is not made for servers (extended key usage); clients may refuse it",
                   label);
    if (identity->has_strange_names)
        jz_tls_log(options, JZ_LOG_WARNING, "%s has names that no client can ask for; they are ignored", label);
    if (!identity->is_used)
        jz_tls_log(options, JZ_LOG_WARNING,
                   "%s is never used: it has no name, or others before it have its names; give it others", label);
    if (identity->staple_fault != NULL)
        jz_tls_log(options, JZ_LOG_WARNING, "%s is not sent to clients: it %s; ask the responder for another",
                   identity->staple_label.text, identity->staple_fault);
    if (identity->staple.response == NULL && X509_get_ext_by_NID(identity->own, NID_tlsfeature, -1) >= 0)
        jz_tls_log(options, JZ_LOG_WARNING,
                   "%s says that an OCSP response comes with it, and there is none (ocsp_file); clients may refuse it",
                   label);
}

void jz_tls_generation_warn_of_times(const jz_tls_generation *generation, const jz_tls_options *options)
{
    for (size_t i = 0; i < generation->identity_count; i++)
        warn_of_times(&generation->identities[i], options);
    warn_of_authorities(&generation->authorities, options);
}

void jz_tls_generation_warn(const jz_tls_generation *generation, const jz_tls_options *options)
{
    jz_tls_generation_warn_of_times(generation, options);
    for (size_t i = 0; i < generation->identity_count; i++)
        warn_of(&generation->identities[i], options);
    ERR_clear_error();
}
