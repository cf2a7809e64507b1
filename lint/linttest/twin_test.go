package linttest_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
)

const original = `FROM debian:12 AS build
ARG SHA=1
WORKDIR /src
COPY . .
RUN make
RUN echo $SHA

FROM debian:12
USER 1000
ENV A=1
ENV B=2
COPY --from=build /src/app /app
RUN /app --install
CMD ["/app"]
`

func lower(t *testing.T, src string) *linttest.Lowered {
	t.Helper()
	low, err := linttest.Lower(t.Context(), []byte(src), facts.Context{})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return low
}

// TestTwinsCatchWrongRewrites plants rewrites that the comparison has to find,
// and such that it has to let through.
func TestTwinsCatchWrongRewrites(t *testing.T) {
	cache := lint.Applied{Drops: []string{"/root/.cache"}}
	moves := lint.Applied{Reorders: true}
	for name, tt := range map[string]struct {
		old, new string
		applied  []lint.Applied
		want     string // of the first difference; "" for none
	}{
		"nothing":                     {"", "", nil, ""},
		"a lost step":                 {"RUN make\n", "", nil, "lost"},
		"an operator gained":          {"RUN make", "RUN make&&make", []lint.Applied{cache}, "lost"},
		"other words":                 {"RUN make", "RUN make -s", nil, "new: RUN /bin/sh -c make -s"},
		"declared to reword":          {"echo $SHA", "echo", []lint.Applied{{Rewords: 1}}, ""},
		"further words":               {"RUN make", "RUN make -s", []lint.Applied{{Rewords: 1}}, "lost"},
		"a cache":                     {"RUN make", "RUN --mount=type=cache,id=imgmgr-x,target=/root/.cache make", []lint.Applied{cache}, ""},
		"a cache that isn't declared": {"RUN make", "RUN --mount=type=cache,id=imgmgr-x,target=/root/.cache make", nil, "lost: RUN /bin/sh -c make (has a new mount at /root/.cache)"},
		"a cache of another's":        {"RUN make", "RUN --mount=type=cache,target=/root/.cache make", []lint.Applied{cache}, "lost"},
		"a cache at a place of ours":  {"RUN make", "RUN --mount=type=cache,id=imgmgr-x,target=/run/imgmgr-x make", nil, ""},
		"a mount of the context":      {"RUN make", "RUN --mount=target=/x make", []lint.Applied{cache}, "lost"},
		"variables swapped":           {"ENV A=1\nENV B=2\n", "ENV B=2\nENV A=1\n", []lint.Applied{moves}, "configuration"},
		"another user":                {"USER 1000\n", "USER 1001\n", nil, "configuration"},
		"another platform":            {"FROM debian:12 AS build", "FROM --platform=linux/arm64 debian:12 AS build", []lint.Applied{moves}, "lost"},
		"a step moved":                {"COPY . .\nRUN make\n", "RUN make\nCOPY . .\n", []lint.Applied{moves}, ""},
		"moved unasked":               {"COPY . .\nRUN make\n", "RUN make\nCOPY . .\n", nil, "lost"},
		"manifests first":             {"COPY . .\n", "COPY go.mod ./\nCOPY . .\n", []lint.Applied{moves}, ""},
		"manifests first, once":       {"COPY . .\n", "COPY go.mod ./\nCOPY --exclude=go.mod . .\n", []lint.Applied{moves}, ""},
		"a file left out":             {"COPY . .\n", "COPY go.mod ./\nCOPY --exclude=go.sum . .\n", []lint.Applied{moves}, "lost"},
		"manifests unasked":           {"COPY . .\n", "COPY go.mod ./\nCOPY . .\n", nil, "lost"},
		"a new step":                  {"COPY . .\n", "COPY . .\nRUN true\n", []lint.Applied{moves}, "lost"},
		"an argument moved":           {"ARG SHA=1\nWORKDIR /src\nCOPY . .\nRUN make\n", "WORKDIR /src\nCOPY . .\nRUN make\nARG SHA=1\n", []lint.Applied{moves}, ""},
		"an argument moved too far":   {"RUN echo $SHA\n", "RUN echo $SHA\nARG SHA=2\n", []lint.Applied{moves}, ""},
		"an argument lost":            {"ARG SHA=1\n", "", []lint.Applied{moves}, "lost"},
		"linked":                      {"COPY --from", "COPY --link --from", []lint.Applied{{Rule: "CopyNotLinked"}}, ""},
		"linked unasked":              {"COPY --from", "COPY --link --from", nil, "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(original, tt.old) {
				t.Fatalf("%q isn't in the original", tt.old)
			}
			rewritten := strings.Replace(original, tt.old, tt.new, 1)
			list := linttest.Twins(lower(t, original), lower(t, rewritten), tt.applied)
			switch {
			case tt.want == "" && len(list) > 0:
				t.Errorf("differences: %q", list)
			case tt.want != "" && (len(list) == 0 || !strings.Contains(list[0], tt.want)):
				t.Errorf("got %q, want %s", list, tt.want)
			}
		})
	}
}
