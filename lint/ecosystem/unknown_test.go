package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestPerhaps(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"$INSTALLER install x":         "$INSTALLER",
		`"${PKG}" install`:             `"${PKG}"`,
		"$X":                           "$X",
		"$X $Y":                        "$X",
		"$X $Y curl":                   "$X",
		"$DIR/pip install x":           "$DIR/pip",
		"$GO mod download":             "$GO",
		"xargs $X add":                 "$X",
		"npm $VERB":                    "$VERB",
		"npm --prefix $DIR $VERB":      "$VERB",
		"apt-get -y ${VERB} curl":      "${VERB}",
		"go mod $WHAT":                 "$WHAT",
		"uv pip $VERB x":               "$VERB",
		"poetry run pip $VERB x":       "$VERB",
		"./mvnw $GOALS":                "", // known: Maven compiles whatever the goal is
		"npm ci":                       "", // known
		"npm ci $OPTIONS":              "", // known
		"npm run $SCRIPT":              "",
		"npm --prefix $DIR run build":  "",
		"go env $NAME":                 "",
		"apt-get purge $X":             "",
		"echo $X install":              "",
		"./*.sh install":               "",
		"$PYTHON --version":            "",
		"$PYTHON manage.py migrate":    "",
		"$JAVA_HOME/bin/java -jar a.b": "",
		"$CC -c hello.c -o hello.o":    "",
		"$MVN package":                 "$MVN",
		"$MVN anything":                "",
	} {
		if got := ecosystem.Perhaps(command(t, script)); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}
