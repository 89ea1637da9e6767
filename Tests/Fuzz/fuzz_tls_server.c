/*
 * As fuzz_server, over TLS: a whole server with its transport, and peers with OpenSSL's client. What is random comes
 * before their handshakes, within them and after them: the input also says how what they encrypt arrives, and what of
 * it is changed on the way (secure/secure_line.c). Requires in addition that nothing is taken for a message that was
 * changed, that what the server sends is what its clients can decrypt, and that no error of OpenSSL is left behind.
 */
#include "secure/secure_line.h"
#include "server/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static jz_tls *tls;
    fuzz_input input = {bytes, length};
    if (tls == NULL)
        tls = secure_begin();
    kernel_never_poison(); /* a record's beginning, which came before, is put in front of the rest */
    secure_begin_anew();
    play_all(&input, &secure_line, &(jz_listen_options){.transport = jz_tls_transport(), .transport_context = tls});
    secure_forget_sessions();
    return 0;
}
