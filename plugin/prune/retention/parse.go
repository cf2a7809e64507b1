package retention

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ParsePolicy reads a policy. The name is that of its file, for errors and for
// plans. An error is a *Error where a place in the text is to blame.
func ParsePolicy(name string, text []byte) (*Policy, error) {
	sum := sha256.Sum256(text)
	p := &Policy{Name: name, Digest: "sha256:" + hex.EncodeToString(sum[:]), Age: Created, Limits: DefaultLimits()}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{name, 1, 1, "the policy is empty: give it a version and rules"}
		}
		return nil, badYAML(name, err)
	}
	err := mapping(p.fields()).read(resolve(doc.Content[0]))
	if err == nil {
		err = p.check(doc.Content[0])
	}
	if at, ok := errors.AsType[*Error](err); ok {
		at.File = name
	}
	if err != nil {
		return nil, err
	}
	if err := dec.Decode(&doc); !errors.Is(err, io.EOF) {
		return nil, &Error{name, max(doc.Line, 1), 1, "a second document begins here: a policy is one document"}
	}
	return p, nil
}

// badYAML puts the line that the YAML parser names where ours stand.
func badYAML(name string, err error) error {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := regexp.MustCompile(`line (\d+): (.*)`).FindStringSubmatch(message); m != nil {
		fmt.Sscan(m[1], &line) //nolint:errcheck // digits, by the expression
		message = m[2]
	}
	return &Error{name, line, 1, "this is no YAML: " + message}
}

func (p *Policy) fields() []field {
	var version int
	return []field{
		{"version", "The version of this format: 1.", true, value{schema{"const": 1}, func(n *yaml.Node) error {
			if err := count(&version, 0).read(n); err != nil || version != 1 {
				return wrong(n, "want version 1")
			}
			return nil
		}}},
		{"age", "What ages count from: created (the image's configuration), pushed, pulled, used, or first-seen (the first time that imgmgr listed it). An age that isn't known keeps the image.", false, basis(&p.Age)},
		{"protect", "References (repository:tag) or repositories that are never removed, as patterns.", false, patterns(&p.Protect)},
		{"limits", "Brakes, which hold whatever the rules say.", false, mapping(p.Limits.fields())},
		{"keep_bases", "Keep images that kept images are built on. True unless it is set to false.", false, negated(&p.RemoveBases)},
		{"rules", "What goes and what stays. An image that no rule selects stays; where rules disagree, it stays.", true, items(&p.Rules, (*Rule).fields, (*Rule).check, func() Rule { return Rule{MaxCount: -1} })},
		{"tests", "Images, and which of them this policy removes. Run by prune test.", false, items(&p.Tests, (*Case).fields, (*Case).check, func() Case { return Case{Taken: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} })},
	}
}

func (l *Limits) fields() []field {
	return []field{
		{"share", "The part of a repository's images above which nothing of it is removed. Default: 50%.", false, percent(&l.Share)},
		{"min_age", "What is younger stays: it may be part of a push that isn't over. Default: 1h.", false, age(&l.MinAge)},
		{"keep_last", "The newest image of a repository stays, even when rules remove all. Default: true.", false, flag(&l.KeepLast)},
	}
}

func (r *Rule) fields() []field {
	r.Group = nil
	return []field{
		{"name", "What plans call this rule.", true, text(&r.Name)},
		{"select", "Which images the rule is about; without it, all.", false, mapping(r.Select.fields())},
		{"group", "What images have in common that are counted together: repository, label:NAME, or capture (what the groups of the selector's regular expressions hold). Default: repository.", false, keys(&r.Group)},
		{"age", "What ages count from, in place of the policy's.", false, basis(&r.Age)},
		{"keep", "All that is selected stays, whatever other rules say.", false, flag(&r.Keep)},
		{"keep_latest", "This many of the newest images of each group stay, whatever other rules say; true is 1. Several tags of one image count once.", false, count(&r.KeepLatest, 1)},
		{"remove", "All that is selected goes.", false, flag(&r.Remove)},
		{"max_age", "What is older goes.", false, age(&r.MaxAge)},
		{"max_count", "What is not among this many newest images of its group goes.", false, count(&r.MaxCount, 0)},
		{"when", "Whether all of max_age and max_count must be exceeded, or any. Default: all.", false, anyOrAll(&r.Any)},
	}
}

func (s *Selector) fields() []field {
	return []field{
		{"repository", "Patterns of repositories, without the registry's host.", false, patterns(&s.Repository)},
		{"tag", "Patterns of tags.", false, patterns(&s.Tag)},
		{"reference", "Patterns of repository:tag.", false, patterns(&s.Reference)},
		{"label", "Labels of the image's configuration and the patterns of their values; null for any value.", false, labels(&s.Label)},
		{"platform", "Patterns of platforms, such as linux/arm64.", false, patterns(&s.Platform)},
		{"larger_than", "Only images of more bytes, as 500MB.", false, size(&s.LargerThan)},
		{"untagged", "Only images without a tag, which no index needs.", false, flag(&s.Untagged)},
		{"orphaned", "Only signatures and other referrers whose image is gone.", false, flag(&s.Orphaned)},
	}
}

func (c *Case) fields() []field {
	var expect struct{ Removed []string }
	return []field{
		{"name", "What the test shows.", true, text(&c.Name)},
		{"taken", "The time at which the policy is applied; ages are given before it. Default: 2026-01-01.", false, date(&c.Taken)},
		{"given", "The images there are.", true, items(&c.Given, (*Given).fields, (*Given).check, func() Given { return Given{} })},
		{"expect", "What the policy does to them; all others stay.", true, mapping([]field{
			{"removed", "References that are removed, all of them.", true, value{texts(&expect.Removed).schema, func(n *yaml.Node) error {
				err := texts(&expect.Removed).read(n)
				c.Removed = expect.Removed
				return err
			}}},
		})},
	}
}

func (g *Given) fields() []field {
	return []field{
		{"ref", "repository:tag, or repository@WORD for an image without a tag.", true, text(&g.Ref)},
		{"same", "Images with the same word are one image with several tags.", false, text(&g.Same)},
		{"age", "How long before taken it was built. With neither age nor created, that isn't known.", false, value{age(&g.Age).schema, func(n *yaml.Node) error {
			g.HasAge = true
			return age(&g.Age).read(n)
		}}},
		{"created", "When it was built.", false, date(&g.Created)},
		{"labels", "Labels of its configuration.", false, labelValues(&g.Labels)},
		{"size", "Its size, as 500MB.", false, size(&g.Bytes)},
		{"in_use", "What uses it, if anything.", false, text(&g.InUse)},
	}
}

// check finds what no single field can know.
func (p *Policy) check(doc *yaml.Node) error {
	seen := map[string]bool{}
	for _, r := range p.Rules {
		if seen[r.Name] {
			return wrong(doc, "two rules are called %q: give each its own name", r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}

func (r *Rule) check(n *yaml.Node) error {
	removes := r.Remove || r.MaxAge > 0 || r.MaxCount >= 0
	switch {
	case !removes && !r.Keep && r.KeepLatest == 0:
		return wrong(n, "rule %q does nothing: give it keep, keep_latest, max_age, max_count or remove", r.Name)
	case r.Keep && removes:
		return wrong(n, "rule %q keeps all and removes some: make it two rules", r.Name)
	case r.Remove && (r.MaxAge > 0 || r.MaxCount >= 0):
		return wrong(n, "rule %q removes all, so max_age and max_count mean nothing: leave out remove, or them", r.Name)
	}
	if slices.ContainsFunc(r.Group, func(k Key) bool { return k.By == ByCapture }) && !r.Select.captures() {
		return wrong(n, "rule %q groups by capture: it needs a tag or reference between slashes, with a group in parentheses", r.Name)
	}
	return nil
}

func (c *Case) check(n *yaml.Node) error {
	c.Line = n.Line
	return nil
}

func (g *Given) check(n *yaml.Node) error {
	if _, _, _, err := SplitRef(g.Ref); err != nil {
		return wrong(n, "ref %v", err)
	}
	if g.HasAge && !g.Created.IsZero() {
		return wrong(n, "%s has an age and a date: give one of them", g.Ref)
	}
	return nil
}

func (s *Selector) captures() bool {
	return slices.ContainsFunc(slices.Concat(s.Tag, s.Reference), func(p Pattern) bool { return p.re != nil && p.re.NumSubexp() > 0 })
}

// items reads a list of mappings.
func items[T any](to *[]T, fields func(*T) []field, check func(*T, *yaml.Node) error, blank func() T) value {
	sample := blank()
	s := mapping(fields(&sample)).schema
	return value{schema{"type": "array", "items": s}, func(n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode {
			return wrong(n, "want a list: a line with - for each")
		}
		for _, c := range n.Content {
			item := blank()
			c = resolve(c)
			if err := mapping(fields(&item)).read(c); err != nil {
				return err
			}
			if err := check(&item, c); err != nil {
				return err
			}
			*to = append(*to, item)
		}
		return nil
	}}
}

func basis(to *Basis) value { return oneOf(to, Created, Pushed, Pulled, Used, FirstSeen) }

func negated(to *bool) value {
	var yes bool
	v := flag(&yes)
	return value{v.schema, func(n *yaml.Node) error {
		err := v.read(n)
		*to = !yes
		return err
	}}
}

func anyOrAll(to *bool) value {
	var word string
	v := oneOf(&word, "all", "any")
	return value{v.schema, func(n *yaml.Node) error {
		err := v.read(n)
		*to = word == "any"
		return err
	}}
}

func keys(to *[]Key) value {
	v := scalar(schema{"type": "string", "pattern": "^(repository|capture|label:.+)$"}, "repository, capture or label:NAME", func(s string) error {
		label, isLabel := strings.CutPrefix(s, "label:")
		switch {
		case isLabel && label != "":
			*to = append(*to, Key{ByLabel, label})
		case s == string(ByRepository) || s == string(ByCapture):
			*to = append(*to, Key{By: KeyKind(s)})
		default:
			return fmt.Errorf("%q is none of them", s)
		}
		return nil
	})
	l := list(v.schema, v.read)
	return value{l.schema, func(n *yaml.Node) error {
		*to = []Key{} // an empty list is one group of all
		return l.read(n)
	}}
}

// labels reads a mapping of names to patterns.
func labels(to *[]LabelPattern) value {
	s := schema{"type": "object", "additionalProperties": schema{"anyOf": []any{schema{"type": "null"}, patterns(new([]Pattern)).schema}}}
	return value{s, func(n *yaml.Node) error {
		if n.Kind != yaml.MappingNode {
			return wrong(n, "want a mapping of labels to values")
		}
		for i := 0; i < len(n.Content); i += 2 {
			l := LabelPattern{Name: n.Content[i].Value}
			if v := resolve(n.Content[i+1]); v.Tag != "!!null" {
				if err := patterns(&l.Value).read(v); err != nil {
					return err
				}
			}
			*to = append(*to, l)
		}
		return nil
	}}
}

func labelValues(to *map[string]string) value {
	return value{schema{"type": "object", "additionalProperties": schema{"type": "string"}}, func(n *yaml.Node) error {
		if err := n.Decode(to); err != nil {
			return wrong(n, "want a mapping of labels to values")
		}
		return nil
	}}
}

// Schema is the JSON schema of policies, in the keys' order.
func Schema() map[string]any {
	s := mapping((&Policy{}).fields()).schema
	out := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "imgmgr.prune.yaml",
	}
	maps.Copy(out, s)
	return out
}
