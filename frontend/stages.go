package frontend

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// stageInName finds the stage in the name that BuildKit gives a step:
// "[2/5] RUN …", "[build 2/5] …", "[linux/arm64 stage-1 2/5] …".
var stageInName = regexp.MustCompile(`^\[((?:\S+/\S+ )?)(?:(\S+) )?( *\d+/\d+)\] `)

// stagePrefix gives a step the stage's name that it has without the rewrite.
// BuildKit numbers stages without a name, and shows none where there is only
// one; a stage or a cache mount that a fix adds changes both.
func (p *plan) stagePrefix(name string) string {
	m := stageInName.FindStringSubmatchIndex(name)
	if m == nil || m[4] < 0 {
		return name
	}
	platform, stage, rest := name[m[2]:m[3]], name[m[4]:m[5]], name[m[6]:]
	stage, ok := p.stageBefore(stage)
	switch {
	case !ok:
		return name
	case stage != "":
		stage += " "
	}
	return "[" + platform + stage + rest
}

// stageBefore is the name of a stage of the rewritten text in steps of the
// text as written; !ok where it is a stage that a fix added.
func (p *plan) stageBefore(stage string) (string, bool) {
	added := len(p.fixed.Stages) - len(p.file.Stages)
	named := false
	for _, st := range p.file.Stages {
		named = named || st.Name == stage
	}
	if number, ok := strings.CutPrefix(stage, "stage-"); ok && !named {
		n, err := strconv.Atoi(number)
		if err != nil || n < added {
			return "", false
		}
		stage, named = fmt.Sprintf("stage-%d", n-added), true
	}
	if !named {
		return "", false
	}
	if len(p.file.Stages) == 1 && !p.manyStates() {
		return "", true
	}
	return stage, true
}

// manyStates reports whether BuildKit sees more than the Dockerfile's stages in
// the text as written: images and contexts in COPY --from and in mounts count.
func (p *plan) manyStates() bool {
	for _, in := range p.file.Instructions {
		for _, f := range in.Flags {
			if f.Name == "from" || f.Name == "mount" {
				return true
			}
		}
	}
	return false
}
