#!/bin/sh
# Builds the same geth with a clock that is wrong by the duration in WRONG_CLOCK (40s, -40s), and prints where it is: a signer for
# tests of faults. Go programs ask the kernel for the time past every library, so it is changed where Clique asks.
set -eu
version=1.13.15 # as in scripts/geth
folder=$(dirname "$("$(dirname "$0")/../../scripts/geth")")
program=$folder/geth-wrong-clock

[ -x "$program" ] || {
    echo "wrong_clock: building it into $folder (a minute, once)" >&2
    build=$(mktemp -d "$folder/build.XXXXXX")
    trap 'rm -rf "$build"' EXIT
    trap 'exit 130' INT TERM
    original=$(go mod download -json "github.com/ethereum/go-ethereum@v$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    cp -R "$original" "$build/source"
    chmod -R u+w "$build/source"
    cd "$build/source"
    sed -i.bak -e 's/time\.Now()/clock()/' -e 's/"math\/rand"/"math\/rand"; "os"/' consensus/clique/clique.go
    cat >>consensus/clique/clique.go <<'GO'

func clock() time.Time {
	wrong, _ := time.ParseDuration(os.Getenv("WRONG_CLOCK"))
	return time.Now().Add(wrong)
}
GO
    nice go build -ldflags=-checklinkname=0 -o "$build/geth" ./cmd/geth >&2
    mv "$build/geth" "$program"
}
echo "$program"
