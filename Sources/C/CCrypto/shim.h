// OpenSSL's low-level SHA-256 and MD5 are the digest interfaces of libcrypto that need no allocation
// per message; they are deprecated in name only, so the warning is silenced here, once.
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/bn.h>
#include <openssl/x509.h>
