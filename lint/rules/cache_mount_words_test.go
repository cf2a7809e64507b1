package rules_test

import (
	"regexp"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// heldBack is the verdict on what is only waiting for the oracle.
var heldBack = regexp.MustCompile(`safe: no image built with \w+ has been proven equal yet`)

// TestCacheMountWords plants one trap at a time into steps whose command turns
// its cache off, and into caches of what was compiled.
func TestCacheMountWords(t *testing.T) {
	const pip, uv = "FROM python\nRUN pip install --no-cache-dir x", "FROM python\nCOPY pyproject.toml .\n"
	tests := []struct{ name, dockerfile, want string }{
		{"the flag", pip + "\n", "build-safe"},
		{"in sh -c", "FROM python\nRUN sh -c 'pip install --no-cache-dir x'\n", "build-safe"},
		{"in a condition", "FROM python\nRUN if true; then pip install --no-cache-dir x; fi\n", "build-safe"},
		{"in JSON form", "FROM python\nRUN [\"pip\", \"--no-cache-dir\", \"install\", \"x\"]\n", "no fix: --no-cache-dir turns the cache off"},
		{"behind a comment", "FROM python\nRUN pip \\\n# c\n --no-cache-dir install x\n", "no fix: --no-cache-dir turns the cache off"},
		{"a mount of wheels", "FROM python\nRUN --mount=type=cache,target=/root/.cache/pip/wheels pip install --no-cache-dir x\n", ""},
		{"the folder removed", pip + " && rm -rf ~/.cache/pip\n", "no fix: rm in the same step would fail on the mount"},
		{"the folder above removed", pip + " && rm -rf ~/.cache\n", "no fix: rm in the same step would fail on the mount"},
		{"the folder emptied", pip + " && rm -rf ~/.cache/pip/*\n", "no fix: rm in the same step would fail on the mount"},
		{"the folder filled", pip + " && tar xf w.tar /root/.cache/pip/wheels\n", "unsafe: tar in the same step uses /root/.cache/pip"},
		{"the folder brought", "FROM python\nCOPY wheels /root/.cache/pip/wheels\nRUN pip install --no-cache-dir x\n", "unsafe: COPY puts files into /root/.cache/pip"},
		{"a VOLUME", "FROM python\nVOLUME /root/.cache/pip\nRUN pip install --no-cache-dir x\n", "unsafe: /root/.cache/pip is a VOLUME"},
		{"sudo in the second command", pip + " && sudo pip install --no-cache-dir y\n", "unsafe: sudo may run the command as another user"},
		{"off in the second command", pip + " && PIP_NO_CACHE_DIR=1 pip install y\n", "build-safe"},
		{"off by the script", "FROM python\nRUN export PIP_NO_CACHE_DIR=1; pip install y\n", "no fix: PIP_NO_CACHE_DIR turns the cache off"},

		{"compiled", uv + "RUN uv sync\n", "build-safe"},
		{"uv from an image", "FROM python\nCOPY --from=uv /uv /bin/\nCOPY pyproject.toml .\nRUN uv sync\n", "build-safe"},
		{"a system from an image", "FROM python\nCOPY --from=gcc /usr/local /usr/local\nCOPY pyproject.toml .\nRUN uv sync\n", "safe: COPY --from may change C headers, which the cache of uv does not see"},
		{"another language's packages", uv + "RUN npm ci --ignore-scripts && corepack enable\nRUN uv sync\n", "build-safe; build-safe"},
		{"system packages", uv + "RUN apk add gcc\nRUN uv sync\n", "safe: apk may change C headers, which the cache of uv does not see"},
		{"a system of conda's", uv + "RUN conda config --x\nRUN uv sync\n", "safe: conda may change C headers, which the cache of uv does not see"},
		{"a script", uv + "RUN ./setup.sh\nRUN uv sync\n", "safe: setup.sh may change C headers, which the cache of uv does not see"},
		{"flags of the compiler", uv + "ENV CFLAGS=-O3\nRUN uv sync\n", "safe: CFLAGS is set, and what was compiled with another value would be used again"},
		{"headers of the project", uv + "COPY include/ include/\nRUN uv sync\n", "build-safe"},
		{"no name", "FROM python\nCOPY other/pyproject.toml .\nRUN uv sync\n", "safe: the project's name isn't known, and the cache must not be shared with other projects"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fc := world("pyproject.toml", "[project]\nname = \"api\"\n", "include/x.h", "", "other/pyproject.toml", "")
			fc.Images.(linttest.Images)["python"] = &facts.Image{
				Digest: "sha256:" + strings.Repeat("e", 64),
				Config: ocispec.Image{Config: ocispec.ImageConfig{Env: []string{"PATH=/bin", "PYTHON_VERSION=3.13.1"}}},
			}
			got := heldBack.ReplaceAllString(verdicts(t, rules.CacheMountMissing, tt.dockerfile, fc), "build-safe")
			// The apk of one step has a cache of its own.
			if tt.name == "system packages" {
				_, got, _ = strings.Cut(got, "; ")
			}
			if got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.dockerfile, got, tt.want)
			}
		})
	}
}
