package prune

import (
	"slices"
	"testing"
)

func TestImagesInFiles(t *testing.T) {
	digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for text, want := range map[string][]string{
		"services:\n  web:\n    image: registry.example.com:5000/team/web:1.2\n":            {"registry.example.com:5000/team/web:1.2"},
		"      - image: \"redis\"\n        name: cache\n":                                   {"redis"},
		"    image: ${REGISTRY}/team/app:v1@" + digest + "\n":                               {"/team/app:v1@" + digest, "team/app:v1"},
		"{\"image\": \"ghcr.io/team/app:main\", \"x\": 1}":                                  {"ghcr.io/team/app:main"},
		"target \"app\" {\n  tags = [\"example.com/app:1\", \"example.com/app:latest\"]\n}": {"example.com/app:1", "example.com/app:latest"},
		"FROM company/base:2024 AS build\nRUN true\n":                                       {"company/base:2024"},
		"status:\n  imageID: docker-pullable://app@" + digest:                               {"docker-pullable://app@" + digest},
		"replicas: 3\nports: [\"8080:80\"]\n":                                               nil,
	} {
		var got []string
		for _, u := range imagesIn(text, "file") {
			got = append(got, u.Image)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%q: found %q, want %q", text, got, w)
			}
		}
		if want == nil && len(got) > 0 {
			t.Errorf("%q: found %q", text, got)
		}
	}
}
