// Linux system calls and constants that Swift's Glibc module hides or that have no libc wrapper.
// Only plain integer types appear here, so that no type of libc is defined a second time.
#ifndef EXEAT_LINUX_H
#define EXEAT_LINUX_H

extern const int exeat_o_tmpfile;
extern const int exeat_o_path;
extern const int exeat_o_noatime;
extern const int exeat_seek_data;
extern const int exeat_seek_hole;
extern const int exeat_at_empty_path;

extern const unsigned long long exeat_resolve_beneath;
extern const unsigned long long exeat_resolve_no_symlinks;
extern const unsigned long long exeat_resolve_no_magiclinks;
extern const unsigned long long exeat_resolve_no_xdev;

/// openat2(2): `resolve` is a set of RESOLVE_ flags. Returns a descriptor, or -1 with errno.
int exeat_openat2(
    int directory, const char *path, unsigned long long flags, unsigned long long mode,
    unsigned long long resolve);

/// flock(2), exclusive and without waiting. 0, or -1 with errno.
int exeat_lock(int descriptor);

/// flock(2), shared and without waiting. 0, or -1 with errno.
int exeat_lock_shared(int descriptor);

/// flock(2): gives the lock back, also for the copies of the descriptor in other processes.
void exeat_unlock(int descriptor);

/// sync_file_range(2): starts writing back what was written so far, without waiting.
void exeat_start_writeback(int descriptor);

/// fallocate(2), a hole in place of the bytes, the size unchanged. 0, or -1 with errno.
int exeat_punch_hole(int descriptor, long long offset, long long length);

/// syncfs(2).
int exeat_syncfs(int descriptor);

unsigned int exeat_major(unsigned long long device);
unsigned int exeat_minor(unsigned long long device);
unsigned long long exeat_makedev(unsigned int major, unsigned int minor);

// xattr(7); the "at" forms work through /proc/self/fd and so never follow a link at the end.
long exeat_flistxattr(int descriptor, char *list, unsigned long size);
long exeat_llistxattr(const char *path, char *list, unsigned long size);
long exeat_fgetxattr(int descriptor, const char *name, void *value, unsigned long size);
long exeat_lgetxattr(const char *path, const char *name, void *value, unsigned long size);
int exeat_fsetxattr(int descriptor, const char *name, const void *value, unsigned long size);
int exeat_lsetxattr(const char *path, const char *name, const void *value, unsigned long size);
int exeat_fremovexattr(int descriptor, const char *name);

#endif
