// Swift cannot call variadic functions: one wrapper for each kind of argument of an option.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static inline CURLcode exeat_curl_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode exeat_curl_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode exeat_curl_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode exeat_curl_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode exeat_curl_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

// For CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION: one signature.
typedef size_t (*exeat_curl_transfer)(char *bytes, size_t size, size_t count, void *user);

static inline CURLcode exeat_curl_on_bytes(
    CURL *handle, CURLoption option, exeat_curl_transfer function) {
    return curl_easy_setopt(handle, option, function);
}

static inline CURLcode exeat_curl_on_progress(CURL *handle, curl_xferinfo_callback function) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
}

typedef CURLcode (*exeat_curl_tls)(CURL *handle, void *context, void *user);

static inline CURLcode exeat_curl_on_tls(CURL *handle, exeat_curl_tls function) {
    return curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, function);
}

typedef int (*exeat_curl_key)(
    CURL *handle, const struct curl_khkey *known, const struct curl_khkey *found,
    enum curl_khmatch match, void *user);

static inline CURLcode exeat_curl_on_known_key(CURL *handle, exeat_curl_key function) {
    return curl_easy_setopt(handle, CURLOPT_SSH_KEYFUNCTION, function);
}

static inline CURLcode exeat_curl_on_host_key(CURL *handle, curl_sshhostkeycallback function) {
    return curl_easy_setopt(handle, CURLOPT_SSH_HOSTKEYFUNCTION, function);
}

static inline long exeat_curl_get_number(CURL *handle, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

static inline curl_off_t exeat_curl_get_size(CURL *handle, CURLINFO info) {
    curl_off_t value = -1;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : -1;
}

