package makefile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func env(vars map[string]string) Vars {
	return func(name string) (string, bool, bool) {
		value, set := vars[name]
		return value, set, true
	}
}

func script(t *testing.T, src string, goals []string, set, vars map[string]string) (string, error) {
	t.Helper()
	f, err := Read([]byte(src))
	if err != nil {
		return "", err
	}
	return f.Script(goals, set, env(vars))
}

func TestScript(t *testing.T) {
	for name, c := range map[string]struct {
		src   string
		goals []string
		set   map[string]string
		vars  map[string]string
		want  string
	}{
		"default goal, prerequisites first": {
			src:  "GO ?= go\n.PHONY: all\nall: service # the default\n\t@echo done\nservice: go.mod\n\t$(GO) build -o $@ ./cmd\n",
			want: "(\ngo build -o service ./cmd\n)\n(\necho done\n)\n",
		},
		"only what the goal needs": {
			src: "all:\n\tgo build\nclean:\n\tgo clean -cache\n", goals: []string{"all"},
			want: "(\ngo build\n)\n",
		},
		"export, and what the environment has": {
			src: "export CGO_ENABLED := 0\nGOFLAGS = -a\nPLAIN = x\nall:\n\tgo build\n", vars: map[string]string{"GOFLAGS": ""},
			want: "export CGO_ENABLED='0'\nexport GOFLAGS='-a'\n(\ngo build\n)\n",
		},
		"the command line wins": {
			src: "DESTDIR = /usr\nall:\n\tcp a $(DESTDIR)\n", set: map[string]string{"DESTDIR": "/out"},
			want: "export DESTDIR='/out'\n(\ncp a /out\n)\n",
		},
		"the environment stands in front of ?=": {
			src: "GO ?= go\nall:\n\t$(GO) build\n", vars: map[string]string{"GO": "go1.26"},
			want: "export GO='go1.26'\n(\ngo1.26 build\n)\n",
		},
		"shell functions run, their output is not known": {
			src:  "VERSION := $(shell git describe)\nall:\n\tgo build -ldflags \"-X main.v=$(VERSION)\"\n",
			want: "(\ngit describe\n)\n(\ngo build -ldflags \"-X main.v=${MAKE_VALUE}\"\n)\n",
		},
		"a condition's variable is not known, its rules are taken": {
			src:  "ifeq ($(V),1)\nQ =\nelse\nQ = -v\nendif\nall:\n\tgo build $(Q)\n",
			want: "(\ngo build ${MAKE_VALUE}\n)\n",
		},
		"pattern rules": {
			src:  "all: bin/a bin/b\nbin/%: cmd/%/main.go\n\tgo build -o $@ ./cmd/$*\n",
			want: "(\ngo build -o bin/a ./cmd/${MAKE_VALUE}\n)\n(\ngo build -o bin/b ./cmd/${MAKE_VALUE}\n)\n",
		},
		"continued lines, a recipe behind ;": {
			src:  "all: a \\\n  b\na: ; echo a\nb:\n\tfor x in 1 2; do \\\n\t  echo $$x; \\\n\tdone\n",
			want: "(\necho a\n)\n(\nfor x in 1 2; do \\\n\t  echo $x; \\\n\tdone\n)\n",
		},
		"a value set later has no part in :=": {
			src:  "A := $(B)\nB = x\nall:\n\techo $(A)\n",
			want: "(\necho ${MAKE_VALUE}\n)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := script(t, c.src, c.goals, c.set, c.vars)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What could run something that isn't seen is not followed.
func TestBeyond(t *testing.T) {
	for _, src := range []string{
		"include more.mk\nall:\n\tgo build\n",
		"-include .env\nall:\n\tgo build\n",
		"define RECIPE\nrm -rf /root/.cache\nendef\nall:\n\tgo build\n",
		"$(eval all: ; rm x)\nall:\n\tgo build\n",
		"all:\n\t$(call RUN,go build)\n",
		"all: X = 1\nall:\n\tgo build\n",
		"all::\n\tgo build\n",
		".ONESHELL:\nall:\n\tgo build\n",
		"SHELL = python3\nall:\n\tgo build\n",
		"all: $(wildcard *.go)\n\tgo build\n",
		"all: $(shell find . -name '*.go')\n\tgo build\n",
		"all:\n\tgo build\nMakefile: configure\n\t./configure\n",
		"%: %.sh\n\tcp $< $@\n",
		"ifdef X\nPOST = ; go clean -cache\nelse\nPOST =\nendif\nall:\n\tgo build $(POST)\n",
		"all:\n\tgo build $(if $(X),; go clean -cache)\n",
		"A = $(B)\nB = $(A)\nall:\n\techo $(A)\n",
		"all:\n\techo $(unclosed\n",
		"override X = 1\nall:\n\techo\n",
		"",
	} {
		if got, err := script(t, src, nil, nil, nil); err == nil {
			t.Errorf("%q was followed: %q", src, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("A ?= $(shell x $(B))\nexport\nall: a\n\t@$(A) $@ $<\n%.o: %.c\n\tcc $*\n")
	f.Fuzz(func(t *testing.T, src string) {
		file, err := Read([]byte(src))
		if err != nil {
			return
		}
		one, err := file.Script(nil, nil, env(nil))
		again, err2 := file.Script(nil, nil, env(nil))
		if (err == nil) != (err2 == nil) || one != again {
			t.Errorf("two scripts of one file: %q and %q", one, again)
		}
		if err == nil && strings.Count(one, "\n(\n") > len(src)*len(src) {
			t.Errorf("%d commands of %d bytes", strings.Count(one, "\n(\n"), len(src))
		}
	})
}
