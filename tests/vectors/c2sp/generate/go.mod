module generate

go 1.26.0

require (
	filippo.io/mldsa v1.0.0
	filippo.io/torchwood v0.9.0
	github.com/transparency-dev/formats v0.1.1
	golang.org/x/mod v0.42.0
)

require (
	golang.org/x/crypto v0.52.0 // indirect
	golang.org/x/sync v0.19.0 // indirect
)
