// Reading directories and attributes without a libc stream: one buffer of the caller's serves a
// whole walk. Only plain integer types appear here (see linux.h).
#ifndef EXEAT_DIRECTORY_H
#define EXEAT_DIRECTORY_H

/// getdents64(2): fills `buffer` with records; their number of bytes, 0 at the end, or -1.
long exeat_getdents(int descriptor, void *buffer, unsigned long size);

extern const unsigned long exeat_dirent_name;    // offset of the name in a record
extern const unsigned long exeat_dirent_length;  // offset of the 16-bit length of a record
extern const unsigned long exeat_dirent_kind;    // offset of the kind, one byte, a DT_ value

extern const int exeat_at_no_automount;

// listxattr(2), getxattr(2): these follow a link at the end, and so reach the object of an O_PATH
// descriptor through /proc/self/fd/N, be it a symbolic link itself.
long exeat_listxattr(const char *path, char *list, unsigned long size);
long exeat_getxattr(const char *path, const char *name, void *value, unsigned long size);

#endif
