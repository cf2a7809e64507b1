package prune

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/prune/buildkit"
	"github.com/imgmgr/imgmgr/plugin/prune/containerd"
	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/layout"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// printPlan prints what goes and why, repository by repository.
func printPlan(out ui.Output, plan *retention.Plan) error {
	w := bufio.NewWriter(out)
	order, items := byRepository(plan.Remove)
	for _, repo := range order {
		printRepository(w, out.Width, repo, items[repo])
	}
	for _, s := range plan.Stopped {
		fmt.Fprintf(w, "%s: left alone: %s\n", s.Repository, ui.Plain(s.Reason))
	}
	if len(plan.Stopped) > 0 {
		fmt.Fprintln(w)
	}
	if plan.Final && len(plan.Remove) > 0 {
		say(w, out.Width, "What goes from here can't be given back.")
	}
	if len(plan.Remove) == 0 {
		say(w, out.Width, "Nothing to remove: "+staying(plan))
	} else {
		atMost := ""
		if plan.AtMost {
			atMost = "up to "
		}
		say(w, out.Width, fmt.Sprintf("%s, which frees %s%s; %s", goes(plan.Remove), atMost, ui.Size(plan.FreesBytes), staying(plan)))
	}
	return w.Flush()
}

// say prints a sentence, wrapped to a width; 0 doesn't wrap.
func say(w io.Writer, width int, text string) {
	if width == 0 {
		fmt.Fprintln(w, text)
		return
	}
	for _, line := range ui.Wrap(text, width) {
		fmt.Fprintln(w, line)
	}
}

// line is one row of a plan: an image with all its tags, or a tag by itself.
type line struct {
	name, reason string
	bytes        int64
}

// printRepository prints rows of names, bytes and reasons. What goes along with an
// image follows it in a plan, and its bytes are counted into the image's row.
func printRepository(w io.Writer, width int, repo string, items []retention.Removal) {
	var lines []line
	var sum int64
	tags, deleted := map[string][]string{}, map[string]bool{}
	for _, item := range items {
		sum += item.Bytes
		if _, tag, _, err := retention.SplitRef(item.Ref); err == nil && tag != "" {
			tags[item.Digest] = append(tags[item.Digest], tag)
		} else {
			deleted[item.Digest] = true
		}
	}
	for _, item := range items {
		reason := item.Rule + ": " + item.Reason
		_, tag, _, _ := retention.SplitRef(item.Ref)
		names := slices.DeleteFunc(slices.Clone(tags[item.Digest]), func(t string) bool { return retention.TagSubject(t) != "" })
		switch {
		case tag != "" && deleted[item.Digest]:
		case tag != "":
			lines = append(lines, line{tag, "only the tag; " + reason, 0})
		case len(names) > 0:
			name := names[0]
			if len(names) > 1 {
				name = fmt.Sprintf("%s (+%d)", name, len(names)-1)
			}
			lines = append(lines, line{name, reason, item.Bytes})
		case len(lines) > 0 && (strings.HasPrefix(item.Reason, "part of ") || strings.HasPrefix(item.Reason, "refers to ")):
			lines[len(lines)-1].bytes += item.Bytes
		default:
			lines = append(lines, line{nameOf(item), reason, item.Bytes})
		}
	}
	fmt.Fprintf(w, "%s  frees %s\n", repo, ui.Size(sum))
	printLines(w, width, lines)
	fmt.Fprintln(w)
}

// nameOf is what people know an image without a tag by.
func nameOf(item retention.Removal) string {
	if item.Title != "" {
		return ui.Plain(item.Title)
	}
	return short(item.Digest)
}

// printLines prints rows in columns; a reason that doesn't fit beside its name is
// put below it.
func printLines(w io.Writer, width int, lines []line) {
	names := 0
	for _, l := range lines {
		names = max(names, min(len(l.name), 40))
	}
	for _, l := range lines {
		head := fmt.Sprintf("  %-*s %8s  ", names, l.name, ui.Size(l.bytes))
		reason := ui.Plain(l.reason)
		if width > 0 && len(head)+len([]rune(reason)) > width {
			fmt.Fprintf(w, "%s\n", strings.TrimRight(head, " "))
			for _, part := range ui.Wrap(reason, width-6) {
				fmt.Fprintf(w, "      %s\n", part)
			}
			continue
		}
		fmt.Fprintf(w, "%s%s\n", head, reason)
	}
}

// counted says how many images and tags a list of removals is.
func counted(removals []retention.Removal) string {
	images, names := 0, 0
	deleted := map[string]bool{}
	for _, r := range removals {
		if r.Kind != retention.KindTag {
			images++
			deleted[r.Ref] = true
		}
	}
	for _, r := range removals {
		if repo, tag, _, err := retention.SplitRef(r.Ref); err == nil && tag != "" && !deleted[repo+"@"+r.Digest] {
			names++
		}
	}
	switch {
	case names == 0:
		return ui.Count(images, noun(removals))
	case images == 0:
		return ui.Count(names, "tag")
	}
	return ui.Count(images, noun(removals)) + " and " + ui.Count(names, "tag")
}

// noun is what the images of a place are called.
func noun(removals []retention.Removal) string {
	if len(removals) > 0 && removals[0].Kind == retention.KindRecord {
		return "record"
	}
	return "manifest"
}

func goes(removals []retention.Removal) string {
	text := counted(removals)
	if text == "1 "+noun(removals) || text == "1 tag" {
		return text + " goes"
	}
	return text + " go"
}

// staying counts what stays as removals are counted, each manifest of a repository
// once.
func staying(plan *retention.Plan) string {
	text := fmt.Sprintf("%d stay", distinct(plan.Keep, plan.Unknown))
	if n := distinct(plan.Unknown); n > 0 {
		text += fmt.Sprintf(", %d of them because too little is known", n)
	}
	young := slices.DeleteFunc(slices.Clone(plan.Keep), func(k retention.Kept) bool { return !k.TooYoung() })
	if n := distinct(young); n > 0 {
		text += fmt.Sprintf(", %d because what is so young may be needed yet", n)
	}
	return text + "."
}

func distinct(lists ...[]retention.Kept) int {
	seen := map[string]bool{}
	for _, k := range slices.Concat(lists...) {
		repo, _, _, _ := retention.SplitRef(k.Ref)
		seen[repo+"@"+k.Digest] = true
	}
	return len(seen)
}

func printOutcome(out ui.Output, o *Outcome, place, journal string) {
	for _, s := range o.Skipped {
		fmt.Fprintf(out, "left alone: %s: %s\n", s.Ref, ui.Plain(s.Reason))
	}
	failures := map[string]int{}
	for _, s := range o.Failed {
		failures[s.Reason]++
	}
	for _, reason := range sortedKeys(failures) {
		fmt.Fprintf(out, "not removed, %s: %s\n", ui.Count(failures[reason], "item"), ui.Plain(reason))
	}
	if len(o.Gone) > 0 {
		fmt.Fprintf(out, "%s gone already.\n", wereGone(o.Gone))
	}
	say(out, out.Width, fmt.Sprintf("Removed %s, %s. Journal: %s", counted(o.Removed), ui.Size(o.Freed), journal))
	if len(o.Removed) > 0 && strings.HasPrefix(place, registry.Scheme) {
		say(out, out.Width, "The registry gives the space back when it collects garbage; until then, prune undo restores.")
	}
}

func wereGone(removals []retention.Removal) string {
	if len(removals) == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", len(removals))
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func printRestored(out io.Writer, r *Restored, plan *retention.Plan) {
	for _, l := range r.Left {
		fmt.Fprintf(out, "left alone: %s: %s\n", l.Ref, ui.Plain(l.Reason))
	}
	for _, l := range r.Lost {
		fmt.Fprintf(out, "lost: %s: %s\n", l.Ref, ui.Plain(l.Reason))
	}
	fmt.Fprintf(out, "Gave back %s to %s.\n", written(plan, r.Back), placeName(plan.Place))
}

// written counts entries of a journal as plans count: manifests, and tags whose
// manifest wasn't touched.
func written(plan *retention.Plan, entries []Entry) string {
	in := map[string]bool{}
	for _, e := range entries {
		in[e.Repository+"@"+e.Digest] = true
	}
	return counted(slices.DeleteFunc(slices.Clone(plan.Remove), func(r retention.Removal) bool {
		repo, _, _, err := retention.SplitRef(r.Ref)
		return err != nil || !in[repo+"@"+r.Digest]
	}))
}

func printJournals(out io.Writer, journals []string) error {
	for _, dir := range journals {
		plan, entries, err := ReadJournal(dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %s  %s\n", filepath.Base(dir), placeName(plan.Place), written(plan, entries))
	}
	if len(journals) == 0 {
		fmt.Fprintln(out, "There is no journal.")
	}
	return nil
}

// printWhy prints all that a plan says of a digest, and what its repository does.
func printWhy(out ui.Output, repositories []*retention.Repository, plan *retention.Plan, ref, digest string) error {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s\n  digest   %s\n", ref, digest)
	repo, _, _, err := retention.SplitRef(ref)
	if err != nil {
		return err
	}
	for _, r := range repositories {
		for _, m := range r.Manifests {
			if m.Digest == digest {
				fmt.Fprintf(w, "  kind     %s\n", strings.TrimSpace(string(m.Kind)+" "+ui.Plain(m.Platform)))
				if !m.Created.IsZero() {
					fmt.Fprintf(w, "  built    %s\n", m.Created.Format("2006-01-02 15:04"))
				}
			}
		}
	}
	fate := func(word, ref, reason string) {
		if other, tag, _, err := retention.SplitRef(ref); err == nil && other == repo {
			name := "tag " + tag
			if tag == "" {
				name = "the image"
			}
			printFate(w, out.Width, word, name+": "+ui.Plain(reason))
		}
	}
	for _, r := range plan.Remove {
		if r.Digest == digest {
			fate("removed", r.Ref, "rule "+r.Rule+": "+r.Reason)
		}
	}
	for _, k := range slices.Concat(plan.Keep, plan.Unknown) {
		if k.Digest == digest {
			fate("kept", k.Ref, k.Reason)
		}
	}
	_, err = io.WriteString(out, w.String())
	return err
}

// printFate prints a word, and what there is to say of it beside it.
func printFate(w io.Writer, width int, word, text string) {
	lines := []string{text}
	if width > 0 {
		lines = ui.Wrap(text, width-11)
	}
	for _, line := range lines {
		fmt.Fprintf(w, "  %-8s %s\n", word, line)
		word = ""
	}
}

// placeName is a place of a plan for people.
func placeName(place string) string {
	if place == engine.Place {
		return "the local engine"
	}
	if context, ok := strings.CutPrefix(place, engine.Place); ok {
		return "the engine of context " + context
	}
	if builder, ok := strings.CutPrefix(place, buildkit.Scheme); ok {
		return "the cache of " + builder
	}
	if namespace, ok := strings.CutPrefix(place, containerd.Scheme); ok {
		return "containerd's namespace " + namespace
	}
	return strings.TrimPrefix(strings.TrimPrefix(place, registry.Scheme), layout.Scheme)
}
