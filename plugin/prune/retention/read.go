package retention

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadInventory reads an inventory from JSON, one repository at a time. All that stands
// beside the repositories comes first, and begin gets it; it returns what takes the
// repositories.
func ReadInventory(r io.Reader, begin func(*Inventory) (add func(*Repository), err error)) error {
	in := &reader{from: r}
	inv, fields := &Inventory{}, map[string]json.RawMessage{}
	var add func(*Repository)
	in.step(func(c *cursor) { c.take('{') })
	for more := true; more && in.err == nil; {
		var name, value string
		in.step(func(c *cursor) {
			name = c.string()
			c.take(':')
			if name == "repositories" {
				c.take('[')
			} else {
				value = c.value()
			}
		})
		switch {
		case in.err != nil:
		case name != "repositories" && add == nil:
			fields[name] = json.RawMessage(value)
		case name != "repositories" || add != nil:
			in.err = fmt.Errorf("%s stands behind the repositories; want them last, as prune --save-inventory writes them", name)
		default:
			if in.err = inv.head(fields); in.err == nil {
				add, in.err = begin(inv)
			}
			in.repositories(add)
		}
		in.step(func(c *cursor) { more = c.separator('}') })
	}
	if in.err == nil && add == nil {
		in.err = errors.New("it has no repositories")
	}
	return in.err
}

// head fills in what stands beside the repositories.
func (inv *Inventory) head(fields map[string]json.RawMessage) error {
	text, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(text, inv)
	}
	if err == nil && (inv.Version != InventoryVersion || inv.Taken.IsZero()) {
		err = fmt.Errorf("want version %d and the time it was taken, as prune --save-inventory writes them", InventoryVersion)
	}
	return err
}

// reader gives a cursor as much text as each step needs.
type reader struct {
	from io.Reader
	text string // not yet read over
	err  error
}

// piece is how much is read at once, in bytes.
const piece = 1 << 20

// step lets a cursor walk, again from the start where the text wasn't enough.
func (in *reader) step(walk func(*cursor)) {
	for in.err == nil {
		c := cursor{text: in.text}
		walk(&c)
		if c.err == nil {
			in.text = in.text[c.at:]
			return
		}
		in.err = c.err
		if errors.Is(c.err, io.ErrUnexpectedEOF) {
			in.err = in.more()
		}
	}
}

// more reads at least as much as there is.
func (in *reader) more() error {
	var text strings.Builder
	size := max(piece, len(in.text))
	text.Grow(len(in.text) + size)
	text.WriteString(in.text)
	read, err := io.CopyN(&text, in.from, int64(size))
	in.text = text.String()
	switch {
	case read > 0 && errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// repositories reads them to the end of their list.
func (in *reader) repositories(add func(*Repository)) {
	more := false
	in.step(func(c *cursor) {
		if more = c.next() != ']'; !more {
			c.at++
		}
	})
	// One is read while another one is added.
	read, added := make(chan *Repository, 1), make(chan struct{})
	go func() {
		defer close(added)
		for repo := range read {
			add(repo)
		}
	}()
	for last := (&Repository{}); more && in.err == nil; {
		var repo Repository
		in.step(func(c *cursor) { repo = c.repository(last) })
		if in.err == nil {
			read <- &repo
		}
		last = &repo
		in.step(func(c *cursor) { more = c.separator(']') })
	}
	close(read)
	<-added
}

// separator steps over a comma, or over the end of a list, and reports whether there is more.
func (c *cursor) separator(end byte) bool {
	if c.next() == ',' {
		c.at++
		return true
	}
	c.take(end)
	return false
}

// repository reads a repository that is likely as long as the last one.
func (c *cursor) repository(last *Repository) (r Repository) {
	r.Tags, r.Manifests = make([]Tag, 0, len(last.Tags)), make([]Manifest, 0, len(last.Manifests))
	blobs := make([]Blob, 0, 4*len(last.Manifests))
	c.object(func(name string) {
		switch name {
		case "name":
			r.Name = c.string()
		case "incomplete":
			r.Incomplete = c.string()
		case "tags":
			c.array(func() { r.Tags = append(r.Tags, c.tag()) })
		case "manifests":
			c.array(func() {
				r.Manifests = append(r.Manifests, Manifest{})
				start := len(blobs)
				blobs = c.manifest(&r.Manifests[len(r.Manifests)-1], blobs)
				r.Manifests[len(r.Manifests)-1].Blobs = blobs[start:len(blobs):len(blobs)]
			})
		default:
			c.value()
		}
	})
	return r
}

func (c *cursor) tag() (t Tag) {
	c.object(func(name string) {
		switch name {
		case "name":
			t.Name = c.string()
		case "digest":
			t.Digest = c.string()
		case "pushed":
			t.Pushed = c.time()
		default:
			c.value()
		}
	})
	return t
}

// manifest reads a manifest, and adds its blobs to others.
func (c *cursor) manifest(m *Manifest, blobs []Blob) []Blob {
	c.object(func(name string) {
		switch name {
		case "digest":
			m.Digest = c.string()
		case "kind":
			m.Kind = Kind(c.string())
		case "bytes":
			m.Bytes = c.int()
		case "title":
			m.Title = c.string()
		case "children":
			c.array(func() { m.Children = append(m.Children, c.child()) })
		case "subject":
			m.Subject = c.string()
		case "base":
			m.Base = c.string()
		case "needs":
			c.array(func() { m.Needs = append(m.Needs, c.string()) })
		case "blobs":
			c.array(func() { blobs = append(blobs, c.blob()) })
		case "created":
			m.Created = c.time()
		case "pushed":
			m.Pushed = c.time()
		case "pulled":
			m.Pulled = c.time()
		case "firstSeen":
			m.FirstSeen = c.time()
		case "labels":
			m.Labels = map[string]string{}
			c.object(func(label string) { m.Labels[label] = c.string() })
		case "platform":
			m.Platform = c.string()
		case "pinned":
			m.Pinned = c.string()
		default:
			c.value()
		}
	})
	return blobs
}

func (c *cursor) child() (child Child) {
	c.object(func(name string) {
		switch name {
		case "digest":
			child.Digest = c.string()
		case "attestation":
			child.Attestation = c.bool()
		default:
			c.value()
		}
	})
	return child
}

func (c *cursor) blob() (b Blob) {
	c.object(func(name string) {
		switch name {
		case "digest":
			b.Digest = c.string()
		case "bytes":
			b.Bytes = c.int()
		default:
			c.value()
		}
	})
	return b
}
