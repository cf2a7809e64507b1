package doctor

import "testing"

// What a registry can't do is worth an exit code only where prune needs it.
func TestFit(t *testing.T) {
	able := Answers{"token", Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, true}
	for name, c := range map[string]struct {
		change func(*Answers)
		fit    bool
		check  string
		level  Level
	}{
		"all":            {func(*Answers) {}, true, "garbage collection", Good},
		"distribution 2": {func(a *Answers) { a.PlainIndex, a.DeleteTag, a.Pages, a.Referrers = No, No, No, No }, true, "garbage collection", Danger},
		"no deletes":     {func(a *Answers) { a.DeleteManifest, a.Undo = No, NotTried }, false, "delete a manifest", Missing},
		"no undo":        {func(a *Answers) { a.Undo = No }, false, "undo a delete", Missing},
		"no catalog":     {func(a *Answers) { a.Catalog = No }, true, "list repositories", Limited},
		"lost referrers": {func(a *Answers) { a.Subjects = No }, false, "referrers are kept", Missing},
		"read only": {func(a *Answers) {
			a.DeleteTag, a.DeleteManifest, a.Undo, a.Mount = NotTried, NotTried, NotTried, NotTried
		}, true, "delete a manifest", Open},
		"without a login": {func(a *Answers) { a.Login = "none" }, true, "login", Danger},
	} {
		a := able
		c.change(&a)
		findings := Diagnose(a)
		if Fit(findings) != c.fit {
			t.Errorf("%s: fit is %v", name, !c.fit)
		}
		seen := false
		for _, f := range findings {
			seen = seen || f.Check == c.check && f.Level == c.level && f.Means != ""
		}
		if !seen {
			t.Errorf("%s: no finding %q of level %s in %+v", name, c.check, c.level, findings)
		}
	}
}
