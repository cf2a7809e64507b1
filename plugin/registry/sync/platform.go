package sync

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// only takes the entries of other platforms out of an index, and with them their
// attestations. The same index and the same platforms give the same bytes. An index
// that has nothing else comes back as it is.
func only(content []byte, wanted []string) ([]byte, error) {
	fields := map[string]json.RawMessage{}
	var entries []json.RawMessage
	err := json.Unmarshal(content, &fields)
	if err == nil {
		err = json.Unmarshal(fields["manifests"], &entries)
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	match, err := matcher(wanted)
	if err != nil {
		return nil, err
	}
	keep, left := map[string]bool{}, []json.RawMessage{}
	var parsed []ocispec.Descriptor
	for _, raw := range entries {
		var d ocispec.Descriptor
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("read the index: %w", err)
		}
		parsed = append(parsed, d)
		if d.Platform != nil && match(*d.Platform) {
			keep[d.Digest.String()] = true
		}
	}
	if len(keep) == 0 {
		return nil, errOtherPlatforms
	}
	for i, d := range parsed {
		if keep[d.Digest.String()] || keep[d.Annotations["vnd.docker.reference.digest"]] {
			left = append(left, entries[i])
		}
	}
	if len(left) == len(entries) {
		return content, nil
	}
	if fields["manifests"], err = json.Marshal(left); err != nil {
		return nil, fmt.Errorf("write the index: %w", err)
	}
	return json.Marshal(fields)
}

// errOtherPlatforms says that an image is for none of the platforms.
var errOtherPlatforms = fmt.Errorf("it is for other platforms")

func matcher(wanted []string) (func(ocispec.Platform) bool, error) {
	var matchers []platforms.Matcher
	for _, text := range wanted {
		p, err := platforms.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("platform %q: %w", text, err)
		}
		matchers = append(matchers, platforms.OnlyStrict(p))
	}
	return func(p ocispec.Platform) bool {
		return slices.ContainsFunc(matchers, func(m platforms.Matcher) bool { return m.Match(p) })
	}, nil
}
