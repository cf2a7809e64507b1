package retention

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ReadInventory reads an inventory from JSON, one repository at a time: with a million
// tags the text has a gigabyte, and most of its words are there many times.
func ReadInventory(r io.Reader) (*Inventory, error) {
	dec := json.NewDecoder(r)
	inv, rest := &Inventory{}, map[string]json.RawMessage{}
	if err := delimiter(dec, '{'); err != nil {
		return nil, err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if name, _ := key.(string); name != "repositories" {
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				return nil, err
			}
			rest[name] = value
			continue
		}
		if err := delimiter(dec, '['); err != nil {
			return nil, err
		}
		for dec.More() {
			var repo Repository
			if err := dec.Decode(&repo); err != nil {
				return nil, err
			}
			words{}.repository(&repo)
			inv.Repositories = append(inv.Repositories, repo)
		}
		if err := delimiter(dec, ']'); err != nil {
			return nil, err
		}
	}
	if err := delimiter(dec, '}'); err != nil {
		return nil, err
	}
	text, err := json.Marshal(rest)
	if err == nil {
		err = json.Unmarshal(text, inv)
	}
	if err == nil && (inv.Version != InventoryVersion || inv.Taken.IsZero()) {
		err = fmt.Errorf("want version %d and the time it was taken, as prune --save-inventory writes them", InventoryVersion)
	}
	return inv, err
}

func delimiter(dec *json.Decoder, want json.Delim) error {
	got, err := dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && got != want {
		err = fmt.Errorf("there is %v in place of %v", got, want)
	}
	return err
}

// words keeps one copy of each text.
type words map[string]string

func (w words) one(s *string) {
	if known, ok := w[*s]; ok {
		*s = known
	} else {
		w[*s] = *s
	}
}

// repository makes equal texts of a repository one text: a digest stands in its
// manifest, in tags, in indexes, and a base's layers stand in every image.
func (w words) repository(r *Repository) {
	for i := range r.Manifests {
		m := &r.Manifests[i]
		w.one(&m.Digest)
		w.one((*string)(&m.Kind))
		w.one(&m.Subject)
		w.one(&m.Base)
		w.one(&m.Platform)
		for j := range m.Children {
			w.one(&m.Children[j].Digest)
		}
		for j := range m.Blobs {
			w.one(&m.Blobs[j].Digest)
		}
		for name, value := range m.Labels {
			w.one(&value)
			m.Labels[name] = value
		}
	}
	for i := range r.Tags {
		w.one(&r.Tags[i].Digest)
	}
}
