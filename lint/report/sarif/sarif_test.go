package sarif

import "testing"

func TestURIs(t *testing.T) {
	for path, want := range map[string]string{
		"Dockerfile":            "Dockerfile",
		"./a/../Dockerfile":     "Dockerfile",
		"../up/Dockerfile":      "../up/Dockerfile",
		"größe und %/x.txt":     "gr%C3%B6%C3%9Fe%20und%20%25/x.txt",
		"a:b/Dockerfile":        "./a:b/Dockerfile",
		"/srv/app/Dockerfile":   "file:///srv/app/Dockerfile",
		"C:/Users/me/Docker#?f": "file:///C:/Users/me/Docker%23%3Ff",
	} {
		if got := At(path, nil).Physical.Artifact.URI; got != want {
			t.Errorf("%s becomes %s, want %s", path, got, want)
		}
	}
}
