#include <libpq-fe.h>

// Notices (NOTICE, WARNING) are no answer to anything we asked; errors come with the results.
static inline void exeat_pq_ignore(void *unused, const PGresult *notice) {
    (void)unused;
    (void)notice;
}

static inline void exeat_pq_silence(PGconn *connection) {
    PQsetNoticeReceiver(connection, exeat_pq_ignore, 0);
}
