// OpenSSL's low-level SHA-256 is the one digest interface of libcrypto that needs no allocation per
// message; it is deprecated in name only, so the warning is silenced here, once.
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/sha.h>
