// Writes tree.json and notes.json beside this folder with the reference implementations of C2SP:
// golang.org/x/mod, filippo.io/torchwood and github.com/transparency-dev/formats.
//
//	go mod tidy && go run . ..
//
// Cosignatures carry the time of the run, and ML-DSA draws at random, so notes.json differs from run to run.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/mldsa"
	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type hashes map[int64]tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

// entry is the leaf's index as 32 bytes, big-endian.
func entry(i int64) []byte {
	e := make([]byte, 32)
	for k := 0; k < 8; k++ {
		e[31-k] = byte(i >> (8 * k))
	}
	return e
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func hexes(p []tlog.Hash) []string {
	out := []string{}
	for _, h := range p {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func tree() map[string]any {
	const size = 70000
	store := hashes{}
	for i := int64(0); i < size; i++ {
		start := tlog.StoredHashIndex(0, i)
		for k, h := range must(tlog.StoredHashes(i, entry(i), store)) {
			store[start+int64(k)] = h
		}
	}
	var roots, inclusion, consistency, growth, paths []any
	sizes := []int64{}
	for n := int64(0); n <= 70; n++ {
		sizes = append(sizes, n)
	}
	sizes = append(sizes, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537, size)
	for _, n := range sizes {
		root := must(tlog.TreeHash(n, store))
		roots = append(roots, map[string]any{"size": n, "root": hex.EncodeToString(root[:])})
	}
	for _, c := range [][2]int64{{0, 1}, {0, 2}, {2, 3}, {6, 7}, {4, 7}, {0, 8}, {12, 13}, {255, 256}, {256, 257}, {0, 257}, {511, 700}, {999, 1000}, {65535, 65537}, {65536, 65537}, {12345, size}, {size - 1, size}} {
		proof := must(tlog.ProveRecord(c[1], c[0], store))
		inclusion = append(inclusion, map[string]any{"index": c[0], "size": c[1], "path": hexes(proof)})
	}
	for _, c := range [][2]int64{{1, 2}, {2, 3}, {3, 7}, {4, 7}, {6, 8}, {8, 9}, {64, 256}, {256, 257}, {255, 600}, {1000, 1001}, {65536, size}, {65535, size}, {1, size}, {69999, size}} {
		proof := must(tlog.ProveTree(c[1], c[0], store))
		consistency = append(consistency, map[string]any{"old": c[0], "new": c[1], "proof": hexes(proof)})
	}
	for _, c := range [][2]int64{{0, 1}, {0, 256}, {1, 255}, {255, 256}, {256, 257}, {0, 257}, {300, 700}, {256, 512}, {512, 512}, {65535, 65536}, {65536, 65600}, {60000, size}} {
		tiles := []string{}
		for _, t := range tlog.NewTiles(torchwood.TileHeight, c[0], c[1]) {
			tiles = append(tiles, torchwood.TilePath(t))
		}
		growth = append(growth, map[string]any{"old": c[0], "new": c[1], "tiles": tiles})
	}
	for _, t := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: -1, N: 0, W: 1}, {H: 8, L: 1, N: 999, W: 255}, {H: 8, L: 0, N: 1000, W: 256}, {H: 8, L: 0, N: 1234067, W: 5}, {H: 8, L: 3, N: 1000000, W: 256}, {H: 8, L: -1, N: 123456789, W: 128}} {
		paths = append(paths, map[string]any{"level": t.L, "index": t.N, "width": t.W, "path": torchwood.TilePath(t)})
	}
	return map[string]any{"roots": roots, "inclusion": inclusion, "consistency": consistency, "growth": growth, "paths": paths}
}

func seed(n byte) []byte {
	s := make([]byte, 32)
	for i := range s {
		s[i] = n
	}
	return s
}

func skey(name string, alg byte, seed, public []byte) string {
	hash := keyID(name, alg, public)
	return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{alg}, seed...)))
}

func vkey(name string, alg byte, public []byte) string {
	return fmt.Sprintf("%s+%s+%s", name, keyID(name, alg, public), base64.StdEncoding.EncodeToString(append([]byte{alg}, public...)))
}

func notes() map[string]any {
	const origin = "example.com/log"
	text := must(torchwood.ParseCheckpoint(origin + "\n12345\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")).String()
	logPublic := ed25519.NewKeyFromSeed(seed(1)).Public().(ed25519.PublicKey)
	witnessPublic := ed25519.NewKeyFromSeed(seed(2)).Public().(ed25519.PublicKey)
	quantumPublic := must(mldsa.NewPrivateKey(mldsa.MLDSA44(), seed(3))).PublicKey().Bytes()

	logSigner := must(note.NewSigner(skey(origin, 1, seed(1), logPublic)))
	witness := must(formats.NewSignerForCosignatureV1(skey("witness.example/w1", 4, seed(2), witnessPublic)))
	quantum := must(formats.NewMLDSASigner(skey("witness.example/w2", 6, seed(3), quantumPublic)))
	vkeys := []string{vkey(origin, 1, logPublic), vkey("witness.example/w1", 4, witnessPublic), vkey("witness.example/w2", 6, quantumPublic)}

	signed := must(note.Sign(&note.Note{Text: text}, logSigner))
	cosigned := must(note.Sign(must(note.Open(signed, note.VerifierList(must(note.NewVerifier(vkeys[0]))))), witness, quantum))
	must(note.Open(cosigned, note.VerifierList(must(formats.NewVerifierForCosignatureV1(vkeys[1])), must(formats.NewVerifierForCosignatureV1(vkeys[2])))))
	extended := must(note.Sign(&note.Note{Text: text + "an extension\n"}, logSigner, witness))
	proof := torchwood.FormatProofWithExtraData(7, []byte("extra"), tlog.RecordProof{tlog.RecordHash([]byte("a")), tlog.RecordHash([]byte("b"))}, cosigned)
	return map[string]any{"text": text, "vkeys": vkeys, "seeds": []string{hex.EncodeToString(seed(1)), hex.EncodeToString(seed(2)), hex.EncodeToString(seed(3))},
		"signed": string(signed), "cosigned": string(cosigned), "extended": string(extended), "tlog_proof": string(proof)}
}

// keyID is the key ID of C2SP signed-note, as eight hex digits.
func keyID(name string, alg byte, public []byte) string {
	if alg == 1 {
		v := must(note.NewEd25519VerifierKey(name, public))
		return strings.Split(v, "+")[1]
	}
	if alg == 4 {
		v := must(note.NewEd25519VerifierKey(name, public))
		v = must(formats.VKeyToCosignatureV1(v))
		return strings.Split(v, "+")[1]
	}
	v := must(formats.NewMLDSAVerifier(name + "+00000000+" + base64.StdEncoding.EncodeToString(append([]byte{alg}, public...))))
	return fmt.Sprintf("%08x", v.KeyHash())
}

func main() {
	for name, value := range map[string]any{"tree.json": tree(), "notes.json": notes()} {
		data := append(must(json.MarshalIndent(value, "", " ")), '\n')
		if err := os.WriteFile(filepath.Join(os.Args[1], name), data, 0o644); err != nil {
			panic(err)
		}
	}
}
