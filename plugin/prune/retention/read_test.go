package retention

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// read reads a whole inventory.
func read(r io.Reader) (inv *Inventory, err error) {
	err = ReadInventory(r, func(head *Inventory) (func(*Repository), error) {
		inv = head
		return func(r *Repository) { inv.Repositories = append(inv.Repositories, *r) }, nil
	})
	return inv, err
}

// full is an inventory in which every field has a value, odd ones among them.
var full = &Inventory{
	Version: InventoryVersion, Place: "registry://h", Host: "h", Taken: now, Partial: true, Final: true,
	InUse: []Use{{"a@sha256:1", "by \"someone\""}},
	Repositories: []Repository{{Name: "a", Incomplete: "cut \\ \"short\"\n", Tags: []Tag{{"<é&>", sha("1"), days(1)}, {"2", "", time.Time{}}},
		Manifests: []Manifest{{
			Digest: sha("1"), Kind: KindImage, Bytes: -5, Title: "[1, {\"2\": 3}]", Children: []Child{{sha("2"), true}, {sha("3"), false}},
			Subject: sha("4"), Base: sha("5"), Needs: []string{"6", "7"}, Blobs: []Blob{{sha("8"), 1 << 60}, {"9", 0}},
			Created: days(2.7), Pushed: days(3), Pulled: days(4), FirstSeen: days(5),
			Labels: map[string]string{"a\u2028": "\\", "": "\x01"}, Platform: "linux/arm64", Pinned: "by\tit",
		}, {Digest: sha("2")}}}, {Name: "b"}},
}

// An inventory is read as encoding/json reads it, however its text comes.
func TestInventoryIsReadAsJSON(t *testing.T) {
	all := []*Inventory{full}
	for seed := range uint64(50) {
		all = append(all, random(rand.New(rand.NewPCG(seed, 2))))
	}
	for _, inv := range all {
		dense, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		var wide bytes.Buffer
		if err := json.Indent(&wide, dense, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		var want Inventory
		if err := json.Unmarshal(dense, &want); err != nil {
			t.Fatal(err)
		}
		for name, from := range map[string]io.Reader{
			"dense": bytes.NewReader(dense), "wide": &wide, "slow": iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(dense))),
			"newer": strings.NewReader(strings.NewReplacer(`"digest":`, `"more":[{"a":"]}"},null,-1.5e3,true,[]],"digest":`).Replace(string(dense))),
		} {
			got, err := read(from)
			if err != nil || !reflect.DeepEqual(emptied(got), emptied(&want)) {
				t.Fatalf("%s: read as\n%+v, %v, want\n%+v", name, got, err, want)
			}
		}
	}
}

// emptied makes lists without entries alike.
func emptied(inv *Inventory) string {
	out := *inv
	out.Repositories = nil
	for _, r := range inv.Repositories {
		r.Tags, r.Manifests = append([]Tag{}, r.Tags...), append([]Manifest{}, r.Manifests...)
		out.Repositories = append(out.Repositories, r)
	}
	text, _ := json.Marshal(out)
	return string(text)
}

// Text that is cut short, or spoilt, is an error, and never a smaller inventory.
func TestBrokenInventoryIsAnError(t *testing.T) {
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range text {
		if _, err := read(bytes.NewReader(text[:cut])); err == nil {
			t.Fatalf("no error after %s", text[:cut])
		}
	}
	for _, broken := range []string{
		"", "[]", "null", `{"version":1,"taken":"2026-01-01T00:00:00Z"}`, `{"repositories":[]}`,
		`{"version":2,"taken":"2026-01-01T00:00:00Z","repositories":[]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[],"inUse":[]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[],"repositories":[]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[{"name":1}]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[{"manifests":[{"bytes":"1"}]}]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[{"manifests":[{"created":"today"}]}]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[{"tags":[{"name":"1"},]}]}`,
		`{"version":1,"taken":"2026-01-01T00:00:00Z","repositories":[{"tags":[{"name":"1"} {"name":"2"}]}]}`,
	} {
		if inv, err := read(strings.NewReader(broken)); err == nil {
			t.Errorf("%s is read as %+v", broken, inv)
		}
	}
}

// A reader that fails is not an end.
func TestFailingReaderIsAnError(t *testing.T) {
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	from := io.MultiReader(bytes.NewReader(text[:len(text)/2]), iotest.ErrReader(io.ErrClosedPipe), bytes.NewReader(text[len(text)/2:]))
	if _, err := read(from); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
}

func FuzzReadInventory(f *testing.F) {
	text, err := json.Marshal(full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := read(bytes.NewReader(text))
		if err != nil || !json.Valid(text) {
			return
		}
		var want Inventory
		if json.Unmarshal(text, &want) == nil && len(got.Repositories) > len(want.Repositories) {
			t.Errorf("read as %+v, want %+v", got, want)
		}
	})
}
