// Calls that give an object of a tree its name or its metadata.
#ifndef EXEAT_METADATA_H
#define EXEAT_METADATA_H

/// setxattr(2) and removexattr(2), which follow links: made for /proc/self/fd/N.
int exeat_setxattr(const char *path, const char *name, const void *value, unsigned long size);
int exeat_removexattr(const char *path, const char *name);

/// Sets the modification time and leaves the access time alone: futimens(3).
int exeat_set_modified(int descriptor, long long seconds, int nanoseconds);

/// The same for a path; made for /proc/self/fd/N.
int exeat_set_modified_path(const char *path, long long seconds, int nanoseconds);

/// Changes owner and group of what a descriptor of any kind stands for: fchownat(2), AT_EMPTY_PATH.
int exeat_change_owner(int descriptor, unsigned int user, unsigned int group);

/// What a directory's attributes forbid (statx(2)): bit 1 any change, bit 0 renaming and removing.
int exeat_forbidden(int descriptor);

/// Renames within a directory, never over something: renameat2(2), RENAME_NOREPLACE, or a link and
/// the removal of the old name where the file system does not know that.
int exeat_rename_new(int directory, const char *from, const char *to);

#endif
