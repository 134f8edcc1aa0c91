#include "numbers.h"

#include <charconv>

int exeat_write_double(double value, char *text) {
    return static_cast<int>(std::to_chars(text, text + 32, value).ptr - text);
}
