// LZMA_STREAM_INIT is a macro, which Swift does not see.
#include <lzma.h>

static inline void exeat_lzma_clear(lzma_stream *stream) {
    lzma_stream empty = LZMA_STREAM_INIT;
    *stream = empty;
}
