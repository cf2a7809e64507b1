package retention

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"hash/maphash"
	"strings"
)

// digest is the number of a digest; 0 is none.
type digest uint32

// digests gives numbers to digests. The digests of a million images are most of what
// a planner has to remember, and each is here once, as its bytes.
type digests struct {
	blocks [][]sum // by number, from 1
	slots  []slot  // by hash, with linear probing
	count  digest
	seed   maphash.Seed
	words  map[digest]string // those that are no SHA-256, as the numbers of BuildKit's records
}

type sum [32]byte

// slot has the hash of its digest beside the number: among the millions, each look at
// another digest's bytes would wait for memory.
type slot struct {
	hash   uint32
	number digest // 0 where nothing is
}

const blockLength = 4096

func newDigests() *digests {
	return &digests{slots: make([]slot, 1024), seed: maphash.MakeSeed(), words: map[digest]string{}}
}

// number is a digest's number, a new one if it is new.
func (d *digests) number(text string) digest {
	if text == "" {
		return 0
	}
	var s sum
	isSum := parseSum(text, &s)
	if !isSum {
		s = sha512.Sum512_256([]byte(text)) // another function than that of digests, so none is both
	}
	hash := uint32(maphash.Bytes(d.seed, s[:]))
	at := d.find(hash, func(n digest) bool { return *d.sum(n) == s })
	if n := d.slots[at].number; n != 0 {
		return n
	}
	if int(d.count)%blockLength == 0 {
		d.blocks = append(d.blocks, make([]sum, 0, blockLength))
	}
	d.count++
	last := &d.blocks[len(d.blocks)-1]
	*last = append(*last, s)
	d.slots[at] = slot{hash, d.count}
	if !isSum {
		d.words[d.count] = strings.Clone(text)
	}
	if int(d.count) > len(d.slots)/4*3 {
		d.grow()
	}
	return d.count
}

func (d *digests) sum(n digest) *sum { return &d.blocks[(n-1)/blockLength][(n-1)%blockLength] }

// find is the place of the slot with that hash for which is is true, or else of the
// empty one where it would be.
func (d *digests) find(hash uint32, is func(digest) bool) int {
	mask := len(d.slots) - 1
	at := int(hash) & mask
	for d.slots[at].number != 0 && (d.slots[at].hash != hash || !is(d.slots[at].number)) {
		at = (at + 1) & mask
	}
	return at
}

func (d *digests) grow() {
	old := d.slots
	d.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.number != 0 {
			d.slots[d.find(s.hash, func(digest) bool { return false })] = s
		}
	}
}

// appendTo adds the text of a digest.
func (d *digests) appendTo(text []byte, n digest) []byte {
	if n == 0 {
		return text
	}
	if word, ok := d.words[n]; ok {
		return append(text, word...)
	}
	return hex.AppendEncode(append(text, sumPrefix...), d.sum(n)[:])
}

func (d *digests) text(n digest) string { return string(d.appendTo(nil, n)) }

// compare orders digests as their texts are ordered.
func (d *digests) compare(a, b digest) int {
	if a == b {
		return 0
	}
	if len(d.words) == 0 && a != 0 && b != 0 {
		return bytes.Compare(d.sum(a)[:], d.sum(b)[:])
	}
	return strings.Compare(d.text(a), d.text(b))
}

const sumPrefix = "sha256:"

// parseSum reads "sha256:" and 64 digits in lower case, the one way to write it that text gives back.
func parseSum(text string, s *sum) bool {
	if len(text) != len(sumPrefix)+2*len(s) || text[:len(sumPrefix)] != sumPrefix {
		return false
	}
	for i := range s {
		high, low := nibbles[text[len(sumPrefix)+2*i]], nibbles[text[len(sumPrefix)+2*i+1]]
		if high|low > 15 {
			return false
		}
		s[i] = high<<4 | low
	}
	return true
}

// nibbles are the values of hexadecimal digits; 255 for what is none.
var nibbles = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
		if at := strings.IndexByte("0123456789abcdef", byte(i)); at >= 0 {
			table[i] = byte(at)
		}
	}
	return table
}()
