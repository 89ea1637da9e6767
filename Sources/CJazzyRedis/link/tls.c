#define _POSIX_C_SOURCE 200809L

#include "link/tls.h"

#include "link/wire.h"
#include "settings/report.h"

jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error)
{
    if (!settings->url.is_tls)
        return JZ_OK;
    return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                           "the URL asks for TLS (rediss://), which this build has not: it needs hiredis 1.0 or later "
                           "with its library hiredis_ssl, and JZ_REDIS_TLS");
}

bool jz_redis_secured_begin(jz_redis_wire *wire, const jz_redis_settings *settings, const char *name)
{
    (void)settings;
    (void)name;
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

bool jz_redis_secured_send(jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent)
{
    (void)areas;
    (void)count;
    *sent = 0;
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

bool jz_redis_secured_receive(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    (void)bytes;
    (void)size;
    *received = 0;
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

void jz_redis_secured_end(jz_redis_secured *secured)
{
    *secured = (jz_redis_secured){0};
}
