#define _GNU_SOURCE 1
#include "linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

const int exeat_o_tmpfile = O_TMPFILE;
const int exeat_o_path = O_PATH;
const int exeat_o_noatime = O_NOATIME;
const int exeat_seek_data = SEEK_DATA;
const int exeat_seek_hole = SEEK_HOLE;
const int exeat_at_empty_path = AT_EMPTY_PATH;

const unsigned long long exeat_resolve_beneath = RESOLVE_BENEATH;
const unsigned long long exeat_resolve_no_symlinks = RESOLVE_NO_SYMLINKS;
const unsigned long long exeat_resolve_no_magiclinks = RESOLVE_NO_MAGICLINKS;
const unsigned long long exeat_resolve_no_xdev = RESOLVE_NO_XDEV;

int exeat_openat2(
    int directory, const char *path, unsigned long long flags, unsigned long long mode,
    unsigned long long resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int exeat_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

int exeat_lock_shared(int descriptor) { return flock(descriptor, LOCK_SH | LOCK_NB); }

void exeat_unlock(int descriptor) { flock(descriptor, LOCK_UN); }

void exeat_start_writeback(int descriptor) {
    int saved = errno;
    sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    errno = saved;
}

int exeat_punch_hole(int descriptor, long long offset, long long length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int exeat_syncfs(int descriptor) { return syncfs(descriptor); }

unsigned int exeat_major(unsigned long long device) { return major(device); }
unsigned int exeat_minor(unsigned long long device) { return minor(device); }
unsigned long long exeat_makedev(unsigned int major, unsigned int minor) {
    return makedev(major, minor);
}

long exeat_flistxattr(int descriptor, char *list, unsigned long size) {
    return flistxattr(descriptor, list, size);
}
long exeat_llistxattr(const char *path, char *list, unsigned long size) {
    return llistxattr(path, list, size);
}
long exeat_fgetxattr(int descriptor, const char *name, void *value, unsigned long size) {
    return fgetxattr(descriptor, name, value, size);
}
long exeat_lgetxattr(const char *path, const char *name, void *value, unsigned long size) {
    return lgetxattr(path, name, value, size);
}
int exeat_fsetxattr(int descriptor, const char *name, const void *value, unsigned long size) {
    return fsetxattr(descriptor, name, value, size, 0);
}
int exeat_lsetxattr(const char *path, const char *name, const void *value, unsigned long size) {
    return lsetxattr(path, name, value, size, 0);
}
int exeat_fremovexattr(int descriptor, const char *name) {
    return fremovexattr(descriptor, name);
}
