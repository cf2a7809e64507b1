package lint

import (
	"fmt"
	"slices"
	"strings"
)

// Profile is a choice of rules.
type Profile int

const (
	Recommended Profile = iota // what is rarely wrong about a file; the default
	Strict                     // and what is a matter of caution, or of taste
	All                        // every rule, also those that contradict each other
	Hadolint                   // the checks that hadolint makes, as hadolint makes them
)

var profileNames = [...]string{"recommended", "strict", "all", "hadolint"}

func (p Profile) String() string {
	if p < 0 || int(p) >= len(profileNames) {
		return fmt.Sprintf("Profile(%d)", int(p))
	}
	return profileNames[p]
}

// ProfileNames are the names of all profiles.
func ProfileNames() []string { return slices.Clone(profileNames[:]) }

// ParseProfile reads a profile's name.
func ParseProfile(name string) (Profile, error) {
	if i := slices.Index(profileNames[:], name); i >= 0 {
		return Profile(i), nil
	}
	return 0, fmt.Errorf("unknown profile %q: use recommended, strict, all or hadolint", name)
}

// Editions are years. A configuration names the one that it was written for, so
// that an update of imgmgr fails no build: what is new since is said as [Info].
const (
	FirstEdition  = 2026 // of a configuration that names none
	LatestEdition = 2026
)

// Config is what a user asks of the rules. The zero value asks for the
// recommended ones as they are.
type Config struct {
	Profile Profile
	// Edition is the newest whose rules have their own severities; 0 is
	// [FirstEdition].
	Edition int
	// Severities are those that findings get, by the rule's name or one of its
	// aliases in lower case. [Off] keeps a rule quiet; any other turns it on,
	// whatever the profile.
	Severities map[string]Severity
	// Codes are the severities of another linter's checks, by their code in
	// lower case. They stand behind Severities, and with the profile Hadolint
	// they decide which findings there are.
	Codes map[string]Severity
	// Deaf makes comments of ours and of hadolint's ignore nothing.
	Deaf bool
	// Registries are the hosts that images may come from, with "*" as a
	// wildcard; nil allows all.
	Registries []string
	// Labels are the labels that an image has to have, each with what its value
	// is: "text", "url", "rfc3339", "spdx", "hash", "semver" or "email".
	// LabelsOnly allows no other.
	Labels     map[string]string
	LabelsOnly bool
}

// Rules are those of all that the configuration asks for, configured.
func (c Config) Rules(all []*Rule) []*Rule {
	var rules []*Rule
	for _, r := range all {
		if !c.wants(r) {
			continue
		}
		if !c.plain() {
			own := *r
			own.config = &c
			r = &own
		}
		rules = append(rules, r)
	}
	return rules
}

// plain reports a configuration that rules needn't know.
func (c Config) plain() bool {
	return c.Profile == Recommended && c.Edition <= FirstEdition && len(c.Severities) == 0 && len(c.Codes) == 0 &&
		!c.Deaf && c.Registries == nil && c.Labels == nil && !c.LabelsOnly
}

func (c Config) wants(r *Rule) bool {
	asked := func(list map[string]Severity) bool {
		if len(list) == 0 {
			return false
		}
		return list[strings.ToLower(r.Name)] > 0 || slices.ContainsFunc(r.Aliases, func(n string) bool { return list[strings.ToLower(n)] > 0 })
	}
	switch {
	case len(c.Severities) > 0 && c.Severities[strings.ToLower(r.Name)] == Off:
		return false
	case asked(c.Severities):
		return true
	case c.Profile == Hadolint:
		return asked(c.Codes) || r.ofShellCheck()
	}
	return r.Profile <= c.Profile
}

// deaf reports that comments of ours and of hadolint's don't keep the rule
// quiet.
func (r *Rule) deaf() bool { return r.config != nil && r.config.Deaf }

// severity is what a finding of the rule gets; Off drops it.
func (r *Rule) severity(d Diagnostic) Severity {
	own := d.Severity
	if own == 0 {
		own = r.Severity
	}
	if r.config == nil {
		return r.inEdition(own, FirstEdition)
	}
	names := []string{r.Name, d.Alias}
	if d.Alias == "" {
		names = append([]string{r.Name}, r.Aliases...)
	}
	for _, list := range []map[string]Severity{r.config.Severities, r.config.Codes} {
		for _, name := range slices.Backward(names) {
			if s := list[strings.ToLower(name)]; s != 0 {
				return s
			}
		}
	}
	if r.config.Profile == Hadolint && (!r.ofShellCheck() || d.Alias == r.Name) {
		return Off
	}
	return r.inEdition(own, max(r.config.Edition, FirstEdition))
}

// inEdition is the severity to a user of that edition.
func (r *Rule) inEdition(own Severity, edition int) Severity {
	if r.Edition > edition {
		return min(own, Info)
	}
	return own
}

// ofShellCheck reports a rule that makes checks of ShellCheck's, all of which
// hadolint passes on.
func (r *Rule) ofShellCheck() bool {
	return slices.ContainsFunc(r.Aliases, func(a string) bool { return a == "SC*" || shellCode(a) > 0 })
}

// Config is what the user asks of the rule. A rule that runs without a
// configuration is in its own profile.
func (p *Pass) Config() Config {
	if p.rule.config == nil {
		return Config{Profile: p.rule.Profile}
	}
	c := *p.rule.config
	c.Profile = max(c.Profile, p.rule.Profile)
	return c
}
