#include <stdlib.h>

#include "channel/backlog.h"
#include "channel/channel.h"
#include "channel/ciphertext.h"
#include "channel/input.h"
#include "channel/tickets.h"
#include "contexts/secrets.h"

enum {
    TLS_HANDSHAKE = 0x16,     /* the type of a client's first record (RFC 8446, 5.1) */
    MOST_RECEIVED = 32 * 1024 /* bytes per step: a client with a certificate sends some thousands */
};

void jz_tls_forget_secrets(jz_tls_channel *channel)
{
    if (channel->secrets == NULL)
        return;
    OPENSSL_cleanse(channel->secrets, sizeof *channel->secrets);
    free(channel->secrets);
    channel->secrets = NULL;
}

static bool prepare(jz_tls_channel *channel)
{
    channel->generation = jz_tls_borrow_generation(channel->tls);
    channel->ssl = jz_tls_generation_new_ssl(channel->generation);
    channel->secrets = calloc(1, sizeof *channel->secrets);
    if (channel->ssl == NULL || channel->secrets == NULL) {
        ERR_clear_error();
        jz_tls_blame(channel, "there is no memory for its handshake");
        return false;
    }
    channel->secrets->library = jz_tls_library_of(channel->tls);
    /* Without reading ahead: what follows the handshake is not OpenSSL's. */
    BIO_up_ref(channel->loop->bio);
    SSL_set_bio(channel->ssl, channel->loop->bio, channel->loop->bio);
    channel->phase = JZ_TLS_PHASE_HANDSHAKE;
    return true;
}

/* What OpenSSL has established is ours from here on, and what it has not read. */
static bool take_over(jz_tls_channel *channel)
{
    jz_tls_loop *loop = channel->loop;
    channel->facts = jz_tls_facts_of(channel->ssl);
    channel->records =
        jz_tls_records_create(channel->ssl, jz_tls_library_of(channel->tls), channel->secrets, loop->outline.encrypted);
    if (channel->facts == NULL || channel->records == NULL) {
        bool is_untold = SSL_version(channel->ssl) == TLS1_3_VERSION &&
                         (channel->secrets->of_client.length == 0 || channel->secrets->of_server.length == 0);
        ERR_clear_error();
        jz_tls_blame(channel, is_untold ? "OpenSSL has not told its keys" : "there is no memory for it");
        return false;
    }
    jz_tls_keep(channel, loop->fetched + loop->fetched_start, loop->fetched_end - loop->fetched_start);
    /* Otherwise OpenSSL takes it for a connection that has failed, whose session nobody should resume. */
    SSL_set_shutdown(channel->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(channel->ssl);
    channel->ssl = NULL;
    jz_tls_forget_secrets(channel);
    return !channel->is_broken;
}

/* The first bytes of data may have come with the last ones of the handshake; if not, `receive` sends the tickets. */
static bool has_something(const jz_tls_channel *channel)
{
    return channel->kept != NULL || channel->early != NULL || channel->held != NULL || channel->may_have_input;
}

static unsigned finish(jz_tls_channel *channel)
{
    bool is_resumed = SSL_session_reused(channel->ssl) == 1;
    if (!take_over(channel))
        return JZ_LOST;
    jz_tls_count_handshake(jz_tls_counters_of(channel->tls), is_resumed);
    jz_tls_release_generation(channel->generation);
    channel->generation = NULL;
    channel->phase = JZ_TLS_PHASE_OPEN;
    return has_something(channel) ? JZ_READABLE | JZ_WRITABLE : JZ_WRITABLE;
}

static void begin_step(jz_tls_loop *loop)
{
    loop->receivable = MOST_RECEIVED;
    loop->is_drained = false;
    loop->is_blocked = false;
    loop->fetched_start = loop->fetched_end = 0;
    loop->outline = (jz_tls_outline){0};
}

static unsigned take_step(jz_tls_channel *channel)
{
    jz_tls_loop *loop = channel->loop;
    jz_tls_secrets_collect(channel->secrets);
    bool is_done = SSL_accept(channel->ssl) == 1;
    jz_tls_secrets_collect(NULL);
    bool has_failed = !is_done && !loop->is_blocked;
    if (is_done && SSL_version(channel->ssl) == TLS1_3_VERSION)
        jz_tls_hold_gathered(channel);
    else
        jz_tls_send_gathered(loop);
    if (has_failed)
        jz_tls_note_failure(channel);
    else if (channel->has_ended && !is_done)
        jz_tls_blame(channel, "cut in its TLS handshake");
    /* A step that succeeds may leave errors, too: of what it did in another way then. */
    if (ERR_peek_error() != 0)
        ERR_clear_error();
    if (is_done && !channel->is_broken)
        return finish(channel);
    return has_failed || channel->has_ended || channel->is_broken ? JZ_LOST : 0;
}

/* What comes first says whether it is TLS: OpenSSL has not seen it yet. */
static unsigned begin_handshake(jz_tls_channel *channel)
{
    jz_tls_loop *loop = channel->loop;
    jz_tls_fetch(loop);
    if (loop->fetched_end == 0)
        return channel->has_ended || channel->is_broken ? JZ_LOST : 0;
    if (loop->fetched[0] != TLS_HANDSHAKE) {
        channel->drained = (uint32_t)loop->fetched_end;
        return jz_tls_meet_stranger(channel, loop->fetched[0]);
    }
    return prepare(channel) ? take_step(channel) : JZ_LOST;
}

unsigned jz_tls_shake_hands(jz_tls_channel *channel)
{
    jz_tls_loop *loop = jz_tls_enter(channel);
    begin_step(loop);
    if (channel->phase == JZ_TLS_PHASE_SILENT)
        return begin_handshake(channel);
    jz_tls_backlog_flush(channel);
    return take_step(channel);
}
