//go:build linux

package registry_test

import (
	"fmt"
	"testing"
)

func TestRm(t *testing.T) {
	for kind := range kinds {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, host := newUser(t), start(t, kind)
			repo := host + "/team/app"
			signed := fill(t, repo)
			before := digests(t, repo)

			contains(t, u.run(1, "rm", "--force", repo+"@"+signed.String()), "also has the 3 tags one, three, two")
			contains(t, u.run(1, "rm", "--force", repo+":none"), "there is no such tag")
			code := 0
			if kinds[kind].old {
				code = 1 // 2.8 can't take a tag away by itself
			}
			u.run(code, "rm", "--force", repo+":one")
			if got := digests(t, repo); (got["one"] == "") == kinds[kind].old || got["two"] != signed.String() {
				t.Errorf("without the tag one, there are %v", got)
			}
			u.run(0, "prune", "undo")
			u.run(0, "rm", "--force", "--all-tags", repo+"@"+signed.String(), repo+":multi")
			if got := digests(t, repo); len(got) != 3 {
				t.Errorf("left is %v", got)
			}
			if n := referrers(t, repo+"@"+signed.String()); n != 0 {
				t.Errorf("%d referrers of what is gone are left", n)
			}
			u.run(0, "prune", "undo")
			if after := digests(t, repo); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("given back is %v, want %v", after, before)
			}
			equal(t, repo, repo, signed)
		})
	}
}
