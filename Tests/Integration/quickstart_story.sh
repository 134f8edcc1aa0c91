#!/usr/bin/env bash
# The story that Scripts/quickstart tells comes to its end, with both reports and nothing left of the hospital.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${EXEAT:?names the program}"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
fail() {
    tail -n 60 "$directory/said" >&2
    echo "✘ $1" >&2
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}
EXEAT=$EXEAT Scripts/quickstart "$directory/run" >"$directory/said" 2>&1 || fail "the quickstart ended with $?"
# Only root can give files back to their owners.
verdict="PASSED: everything was restored"
[ "$(id -u)" = 0 ] || verdict="PASSED WITH RESERVATIONS"
grep -q "^$verdict" "$directory/said" || fail "the rehearsal does not say \"$verdict\""
for language in fr en; do
    grep -q "</html>" "$directory/run/report-$language.html" || fail "the report in $language has no end"
done
[ ! -e "$directory/run/hospital" ] || fail "the hospital was left behind"
echo "1 passed, 0 failed, 0 skipped"
