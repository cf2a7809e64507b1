package prune

import (
	"slices"
	"testing"
)

func TestImagesInFiles(t *testing.T) {
	digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for text, want := range map[string][]string{
		"services:\n  web:\n    image: registry.example.com:5000/team/web:1.2\n":                     {"registry.example.com:5000/team/web:1.2"},
		"      - image: \"redis\"\n        name: cache\n":                                            {"redis"},
		"    image: ${REGISTRY}/team/app:v1@" + digest + "\n":                                        {"/team/app:v1@" + digest, "team/app:v1"},
		"{\"image\": \"ghcr.io/team/app:main\", \"x\": 1}":                                           {"ghcr.io/team/app:main"},
		"target \"app\" {\n  tags = [\"example.com/app:1\", \"example.com/app:latest\"]\n}":          {"example.com/app:1", "example.com/app:latest"},
		"FROM company/base:2024 AS build\nRUN true\n":                                                {"company/base:2024"},
		"status:\n  imageID: docker-pullable://app@" + digest:                                        {"docker-pullable://app@" + digest},
		`{"items":[{"spec":{"containers":[{"name":"a","image":"team/a:1"},{"image":"team/b:2"}]}}]}`: {"team/a:1", "team/b:2"},
		"containers: [{name: a, image: team/a:1}]\n":                                                 {"team/a:1"},
		"target \"app\" {\n  contexts = { base = \"docker-image://team/base:3\" }\n}":                {"team/base:3"},
		"team/a:1\nregistry.example.com:5000/team/b:2\n":                                             {"team/a:1", "registry.example.com:5000/team/b:2"},
		"image:\n  repository: team/app\n  pullPolicy: Always\n  tag: \"1.2\"\n":                     {"team/app:1.2"},
		"images:\n- name: app\n  newName: registry.example.com/app\n  newTag: v3\n":                  {"registry.example.com/app:v3"},
		"replicas: 3\nports: [\"8080:80\"]\n":                                                        nil,
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
