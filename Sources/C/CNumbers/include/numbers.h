#ifndef EXEAT_NUMBERS_H
#define EXEAT_NUMBERS_H

#ifdef __cplusplus
extern "C" {
#endif

// Writes the shortest decimal text that reads back as the very same number, as C++17's to_chars
// does: at most 24 bytes, no terminator. Gives back how many.
int exeat_write_double(double value, char *text);

#ifdef __cplusplus
}
#endif

#endif
