#define _GNU_SOURCE 1
#include "directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// The record of getdents64(2), which no header of libc declares under this name everywhere.
struct record {
    unsigned long long inode;
    long long offset;
    unsigned short length;
    unsigned char kind;
    char name[];
};

const unsigned long exeat_dirent_name = offsetof(struct record, name);
const unsigned long exeat_dirent_length = offsetof(struct record, length);
const unsigned long exeat_dirent_kind = offsetof(struct record, kind);

const int exeat_at_no_automount = AT_NO_AUTOMOUNT;

long exeat_getdents(int descriptor, void *buffer, unsigned long size) {
    return syscall(SYS_getdents64, descriptor, buffer, size);
}

long exeat_listxattr(const char *path, char *list, unsigned long size) {
    return listxattr(path, list, size);
}

long exeat_getxattr(const char *path, const char *name, void *value, unsigned long size) {
    return getxattr(path, name, value, size);
}
