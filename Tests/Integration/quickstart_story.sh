#!/usr/bin/env bash
# The story that Scripts/quickstart tells comes to its end, with both reports and nothing left of the hospital.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${EXEAT:?names the program}"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# The servers of the hospital run as users of their own.
chmod 755 "$directory"
failed() {
    cat "$directory/said" >&2
    echo "✘ quickstart: $1" >&2
    exit 1
}
EXEAT=$EXEAT Scripts/quickstart "$directory/run" >"$directory/said" 2>&1 || failed "it ended with $?"
grep -q "^PASSED: everything was restored" "$directory/said" || failed "the rehearsal did not pass"
! grep -E "left out: (PostgreSQL|MariaDB|files|logs)" "$directory/said" || failed "the hospital lacks a part"
for language in fr en; do
    grep -q "</html>" "$directory/run/report-$language.html" || failed "no report in $language"
done
[ ! -e "$directory/run/hospital" ] || failed "something of the hospital is left"
echo "1 passed, 0 failed, 0 skipped"
