package frontend

import (
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/lint/facts"
)

func TestFindSuffix(t *testing.T) {
	tree := map[string]string{
		".dockerignore":  "vendor\n",
		"main.go":        "package main",
		"native/lib.h":   "int answer(void);",
		"vendor/other.h": "",
		"names.h/README": "",
	}
	for name, tt := range map[string]struct {
		opts    map[string]string
		context map[string]string
		suffix  string
		want    string
		unknown bool
	}{
		"there":                   {nil, tree, ".h", "native/lib.h", false},
		"not there":               {nil, tree, ".hpp", "", false},
		"ignored":                 {nil, map[string]string{".dockerignore": "vendor\n", "vendor/other.h": ""}, ".h", "", false},
		"a folder's name":         {nil, map[string]string{"names.h/README": ""}, ".h", "", false},
		"git":                     {map[string]string{"context": "https://github.com/imgmgr/example.git"}, tree, "lib.h", "native/lib.h", false},
		"git, not there":          {map[string]string{"context": "https://github.com/imgmgr/example.git"}, tree, ".hpp", "", false},
		"no context":              {nil, nil, ".h", "", true},
		"a pattern of its own":    {nil, tree, ".[h]", "", true},
		"a path, which no suffix": {nil, tree, "/lib.h", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(twoSteps, tt.opts)
			d.context = tt.context
			got, err := facts.FindSuffix(openFiles(t, d), tt.suffix)
			if got != tt.want || errors.Is(err, facts.ErrUnknown) != tt.unknown || (err != nil) != tt.unknown {
				t.Errorf("found %q, %v", got, err)
			}
			for _, req := range d.solved {
				src := loneSource(req.Definition)
				if strings.HasPrefix(src.GetIdentifier(), "local://context") && !strings.Contains(src.Attrs[pb.AttrSharedKeyHint], ".dockerignore") &&
					src.Attrs[pb.AttrMetadataTransfer] != "true" {
					t.Error("it asked for more than the names")
				}
			}
		})
	}
}

// An engine that can't send names alone would be sent the files.
func TestFindSuffixOnAnOldEngine(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.context = map[string]string{"a.h": ""}
	all := pb.Caps.All()
	for i, c := range all {
		if c.ID == string(pb.CapSourceMetadataTransfer) {
			all = append(all[:i], all[i+1:]...)
			break
		}
	}
	caps := pb.Caps.CapSet(all)
	d.caps = &caps
	if got, err := openFiles(t, d).FindSuffix(".h"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("found %q, %v", got, err)
	}
	if n := d.contextSolves(); n != 0 {
		t.Errorf("the context was asked %d times", n)
	}
}

func TestListingThatIsCutOff(t *testing.T) {
	whole := listed(map[string]string{"a.h": "", "b.h": ""})
	for n := range len(whole) {
		stats, err := readListing([]byte(whole[:n]))
		if n != 0 && n != len(whole)/2 && err == nil {
			t.Errorf("%d bytes of %d give %d entries", n, len(whole), len(stats))
		}
	}
}
