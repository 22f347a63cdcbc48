#!/bin/sh
# Makes the repository of this example in a temporary folder and prints where: `main`, and the branch `agent` that
# another tool left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
cd "$folder"
git init -q --initial-branch=main
git config user.name "You" && git config user.email "you@example.org"
cp -r "$here/before/." . && git add -A && git commit -q -m "Slugs"
git checkout -q -b agent
cp -r "$here/after/." . && git add -A && git commit -q -m "Improve slugs"
git checkout -q main
echo "$folder"
