#!/usr/bin/env bash
# The story that Scripts/quickstart tells comes to its end, with both reports and nothing left of the hospital.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${EXEAT:?names the program}"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
EXEAT=$EXEAT Scripts/quickstart "$directory/run" >"$directory/said" 2>&1 || {
    tail -n 40 "$directory/said" >&2
    exit 1
}
grep -q "^PASSED: everything was restored" "$directory/said"
for language in fr en; do
    grep -q "</html>" "$directory/run/report-$language.html"
done
[ ! -e "$directory/run/hospital" ]
echo "1 passed, 0 failed, 0 skipped"
