package effect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
)

func TestTakings(t *testing.T) {
	f, err := dockerfile.Parse("Dockerfile", []byte(`FROM debian AS a
RUN make
FROM debian AS b
COPY --from=a /x y/*.c $Z /
COPY --from=0 a/b /
COPY --from=nginx /etc /etc
COPY . /
RUN --mount=from=a,source=/out,target=/in --mount=type=cache,target=/c --mount=type=cache,from=a,target=/d,source=$Z true
ONBUILD COPY --from=a /x /
FROM a
COPY --from=B / /all
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, taking := range effect.Takings(f, func(*dockerfile.Instruction) effect.World { return effect.World{} }) {
		got = append(got, fmt.Sprintf("%s %s %s", taking.In.Name, taking.From.Name, taking.Path))
	}
	want := []string{"COPY a /x", "COPY a /y", "COPY a ", "COPY a /a/b", "RUN a /out", "RUN a ", "ONBUILD a ", "COPY b /"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
