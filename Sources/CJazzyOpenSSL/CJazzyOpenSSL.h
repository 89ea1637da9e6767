/* OpenSSL, or what to do where it is missing: the one place that includes it, for CJazzyTLS alone. The name is ours
   alone: a user's package may have a module of OpenSSL, too. */
#ifndef JAZZY_OPENSSL_H
#define JAZZY_OPENSSL_H

/* Standard from C23 on; who does not know it gets the compiler's own words. */
#ifdef __has_include
#if !__has_include(<openssl/ssl.h>)
#error "Jazzy's TLS needs OpenSSL 3: apt install libssl-dev, dnf install openssl-devel, or brew install openssl@3"
#endif
#endif
#include <openssl/opensslv.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Jazzy's TLS needs OpenSSL 3.0 or later; this one is older"
#endif
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
