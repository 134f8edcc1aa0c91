#define _GNU_SOURCE 1
#include "metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int exeat_setxattr(const char *path, const char *name, const void *value, unsigned long size) {
    return setxattr(path, name, value, size, 0);
}

int exeat_removexattr(const char *path, const char *name) { return removexattr(path, name); }

int exeat_set_modified(int descriptor, long long seconds, int nanoseconds) {
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return futimens(descriptor, times);
}

int exeat_set_modified_path(const char *path, long long seconds, int nanoseconds) {
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return utimensat(AT_FDCWD, path, times, 0);
}

int exeat_change_owner(int descriptor, unsigned int user, unsigned int group) {
    return fchownat(descriptor, "", user, group, AT_EMPTY_PATH);
}

int exeat_forbidden(int descriptor) {
    struct statx status;
    // Nothing is known where the kernel or the file system does not tell.
    if (statx(descriptor, "", AT_EMPTY_PATH, 0, &status) != 0) return 0;
    return ((status.stx_attributes & STATX_ATTR_APPEND) ? 1 : 0)
        | ((status.stx_attributes & STATX_ATTR_IMMUTABLE) ? 2 : 0);
}

int exeat_rename_new(int directory, const char *from, const char *to) {
    if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (linkat(directory, from, directory, to, 0) != 0) return -1;
    return unlinkat(directory, from, 0);
}
