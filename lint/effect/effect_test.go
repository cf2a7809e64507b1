package effect_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

var names = map[effect.Touch]string{effect.Uses: "uses", effect.Unknown: "unknown", effect.Empties: "empties", effect.Removes: "removes"}

func TestOn(t *testing.T) {
	scene := effect.Scene{Home: "/root", Workdir: "/app", Vars: map[string]string{"CACHE": "/var/cache", "D": "lib"}}
	tests := []struct {
		place, script, want string
	}{
		{"/var/cache/apt", "rm -rf /var/cache/apt", "rm removes forced"},
		{"/var/cache/apt", "rm -r /var/cache/apt/", "rm removes"},
		{"/var/cache/apt", "rm -rf /var/cache", "rm removes forced"},
		{"/var/cache/apt", "rm -rf /var/cache/*", "rm removes forced"},
		{"/var/cache/apt", "rm -rf /var/ca*", "rm removes forced"},
		{"/var/cache/apt", "rm -rf /var/cache/apt/*", "rm empties forced"},
		{"/var/cache/apt", "rm -rf /var/cache/apt/archives", "rm empties forced"},
		{"/var/cache/apt", "rm -rf /var/lib/apt/lists/* /tmp/* /var/tmp/*", ""},
		{"/var/cache/apt", "rm -rf /var/cache/apt2 /var/cache/ap", ""},
		{"/var/cache/apt", "rm -rf /var/cache/apt-*", ""},
		{"/var/cache/apt", "rm -rf $CACHE/apt", "rm removes forced"},
		{"/var/cache/apt", `rm -rf "${CACHE}"/*`, "rm removes forced"},
		{"/var/cache/apt", "rm -rf /usr/$D", ""},
		{"/var/cache/apt", "rm -rf $X", "rm unknown forced"},
		{"/var/cache/apt", "rm -rf /usr/$X", ""},
		{"/var/cache/apt", "rm -rf $(cat list)", "rm unknown forced"},
		{"/var/cache/apt", "X=/tmp/x && rm -rf $X", ""},
		{"/var/cache/apt", `X="$(mktemp -d)"; rm -rf "$X"`, ""},
		{"/var/cache/apt", `export X="$(mktemp -d)"; rm -rf "$X/y"`, ""},
		{"/var/cache/apt", `X="$(foo)"; rm -rf "$X"`, "rm unknown forced"},
		{"/var/cache/apt", "rm -rf '$CACHE'/apt", ""},
		{"/var/cache/apt", "cd /var/cache && rm -rf apt", "rm removes forced"},
		{"/var/cache/apt", "cd /var && cd cache && rm -rf *", "rm removes forced"},
		{"/var/cache/apt", "cd $X && rm -rf *", "rm unknown forced"},
		{"/var/cache/apt", "cd $X && rm -rf build", ""},
		{"/app/cache", "rm -rf *", "rm removes forced"},
		{"/app/cache", "rm -rf ./cache/x", "rm empties forced"},
		{"/app/cache", "rm -rf ../app", "rm removes forced"},
		{"/app/cache", "rm -rf node_modules", ""},
		{"/root/.npm", "rm -rf ~/.npm", "rm removes forced"},
		{"/root/.npm", "rm -rf $HOME/.npm/x", "rm empties forced"},
		{"/root/.npm", "rm -rf /root/*", ""},
		{"/root/.npm", "rm -rf /root/.*", "rm removes forced"},
		{"/root/.npm", "rm -rf /root/.[!.]*", "rm removes forced"},
		{"/root/.npm", "mv /root /r", "mv removes"},
		{"/root/.npm", "find /root -type f -delete", "find removes"},
		{"/root/.npm", "find / -name x", ""},
		{"/root/.npm", "find / -name x | xargs rm", "find removes"},
		{"/root/.npm", "find /root/.npm/x -exec rm {} +", "find empties"},
		{"/root/.npm", "chown -R node /root", "chown uses"},
		{"/root/.npm", "chown node /root", ""},
		{"/root/.npm", "chmod --recursive 755 /", "chmod uses"},
		{"/root/.npm", "cp -a /root /r", "cp uses"},
		{"/root/.npm", "cp /root/x /r", ""},
		{"/root/.npm", "cp /root/.npm/x /r", "cp uses"},
		{"/root/.npm", "tar cf x.tar /root", "tar uses"},
		{"/root/.npm", "tar -C / -xzf x.tgz", ""},
		{"/root/.npm", "tar xzf x.tgz -C /", ""},
		{"/root/.npm", "du -s /root/.npm", "du uses"},
		{"/root/.npm", "du -s /root", ""},
		{"/root/.npm", "mkdir -p /root/.npm && cd /root/.npm && ls /root/.npm", ""},
		{"/root/.npm", "echo x > /root/.npm/y", "echo uses"},
		{"/root/.npm", "foo -- /root/.npm", "foo uses"},
	}
	for _, tt := range tests {
		text := &edit.Text{}
		text.Add([]byte(tt.script), edit.Span{Start: 0, End: len(tt.script)})
		s := shell.Parse(text, shell.POSIX)
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		var got []string
		for _, a := range effect.On(s.Commands(), scene, tt.place) {
			word := a.Command.Name() + " " + names[a.Touch]
			if a.Forced {
				word += " forced"
			}
			got = append(got, word)
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s touches %s: %q, want %q", tt.script, tt.place, strings.Join(got, "; "), tt.want)
		}
	}
}

// TestUnknownScene: without a working folder and a home nothing relative is
// taken for the place.
func TestUnknownScene(t *testing.T) {
	const script = "rm -rf ~/.npm; rm -rf x"
	text := &edit.Text{}
	text.Add([]byte(script), edit.Span{Start: 0, End: len(script)})
	acts := effect.On(shell.Parse(text, shell.POSIX).Commands(), effect.Scene{}, "/root/.npm")
	if len(acts) != 1 || acts[0].Touch != effect.Unknown {
		t.Errorf("%+v", acts)
	}
}
