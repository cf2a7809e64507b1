package effect_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/effect"
)

// A program is the script of one RUN.
type program string

// random makes a program of one to three commands over few names.
func random(r *rand.Rand) program {
	name := func() string {
		p := string("abc"[r.IntN(3)])
		for r.IntN(2) == 0 && len(p) < 5 {
			p += "/" + string("abc"[r.IntN(3)])
		}
		return p
	}
	command := func() string {
		p, q := name(), name()
		return []string{
			"echo " + p + " > " + p,
			"echo x >> " + p,
			"cat " + p + " > " + q,
			"cp " + p + " " + q,
			"cp -r " + p + " " + q,
			"mv " + p + " " + q,
			"rm -f " + p,
			"rm -rf " + p,
			"rm -f " + p + "/*",
			"rmdir " + p,
			"mkdir " + p,
			"mkdir -p " + p,
			"touch " + p,
			"chmod 700 " + p,
			"chmod -R u+x " + p,
			"test -e " + p + " && touch " + q,
			"cd " + p + " && touch c",
			"X=" + p + "; rm -rf $X/b",
			"for f in " + p + "/*; do cat \"$f\" > /dev/null; done",
			"find " + p + " -name b -delete",
			"tar -cf " + q + " " + p,
			"sed -i 's/x/y/' " + p,
		}[r.IntN(22)]
	}
	s := command()
	for range r.IntN(3) {
		s += []string{" && ", "; "}[r.IntN(2)] + command()
	}
	return program(s)
}

// forest makes a tree to start from; with links, some of its names are links.
func forest(t *testing.T, r *rand.Rand, dir string, links bool) {
	t.Helper()
	for _, name := range []string{"a", "b", "c", "a/a", "a/b", "b/c", "a/a/b", "b/c/a"} {
		p := filepath.Join(dir, name)
		if folder, err := os.Stat(filepath.Dir(p)); err != nil || !folder.IsDir() {
			continue
		}
		if _, err := os.Lstat(p); err == nil { // through a link
			continue
		}
		var err error
		switch n := r.IntN(10); {
		case links && n < 3:
			err = os.Symlink(filepath.Join(dir, string("abc"[r.IntN(3)])), p)
		case n < 5:
			err = os.Mkdir(p, 0o755)
		case n < 8:
			err = os.WriteFile(p, []byte("x "+name+"\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree is all that lies in dir: path, mode, content.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			content, err = os.Readlink(p)
		case info.Mode().IsRegular() && !isTar(p):
			var data []byte
			data, err = os.ReadFile(p)
			content = string(data)
		}
		fmt.Fprintf(&b, "%s %s %q\n", strings.TrimPrefix(p, dir), info.Mode(), strings.ReplaceAll(content, dir, "DIR"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// isTar reports an archive, which holds times.
func isTar(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 262)
	n, _ := f.Read(head)
	return n == len(head) && string(head[257:262]) == "ustar"
}

// execute runs programs one after the other and returns what each says of
// itself, by the program, and the tree they leave.
func execute(t *testing.T, dir string, programs ...program) (codes map[program]int, left string) {
	t.Helper()
	codes = map[program]int{}
	for _, p := range programs {
		c := exec.Command("/bin/sh", "-c", string(p))
		c.Dir, c.Env = dir, []string{"PATH=/usr/bin:/bin"}
		_ = c.Run()
		codes[p] = c.ProcessState.ExitCode()
	}
	return codes, tree(t, dir)
}

// links says of a path in dir whether a component is a link there.
func links(dir string) func(string) (string, bool) {
	return func(p string) (string, bool) {
		for at := p; strings.HasPrefix(at, dir+"/"); at = filepath.Dir(at) {
			if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
				return at + " is a link", false
			}
		}
		return "", false
	}
}

// trial moves random programs as commutes allows, executes them in both orders,
// and returns how many pairs were moved and one that shouldn't have been.
func trial(t *testing.T, seed uint64, pairs int, withLinks, seesLinks bool, commutes func(a, b effect.Effect) bool) (moved int, wrong string) {
	r := rand.New(rand.NewPCG(seed, 1))
	root := t.TempDir()
	for i := range pairs {
		p, q := random(r), random(r)
		if p == q {
			continue
		}
		first, second := filepath.Join(root, fmt.Sprint(i), "x"), filepath.Join(root, fmt.Sprint(i), "y")
		list := instructions(t, "RUN "+string(p)+"\nRUN "+string(q))
		w := effect.World{Scene: effect.Scene{Workdir: first}}
		if err := os.MkdirAll(first, 0o755); err != nil {
			t.Fatal(err)
		}
		start := r.Uint64()
		forest(t, rand.New(rand.NewPCG(start, 2)), first, withLinks)
		if seesLinks {
			w.Link = links(first)
		}
		if !commutes(effect.Of(list[0], w), effect.Of(list[1], w)) {
			continue
		}
		moved++
		if err := os.MkdirAll(second, 0o755); err != nil {
			t.Fatal(err)
		}
		forest(t, rand.New(rand.NewPCG(start, 2)), second, withLinks)
		before := tree(t, first)
		codes, left := execute(t, first, p, q)
		others, right := execute(t, second, q, p)
		if left != right || codes[p] != others[p] || codes[q] != others[q] {
			return moved, fmt.Sprintf("from\n%s\n%s\nthen\n%s\nleaves %v\n%s\nthe other way round %v\n%s", before, p, q, codes, left, others, right)
		}
	}
	return moved, ""
}

// TestMovedProgramsDoTheSame executes programs in the order given and in the
// other one wherever Commutes lets them.
func TestMovedProgramsDoTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		for _, withLinks := range []bool{false, true} {
			moved, wrong := trial(t, seed, 1500, withLinks, true, effect.Commutes)
			if wrong != "" {
				t.Errorf("seed %d: %s", seed, wrong)
			}
			if moved < 20 {
				t.Errorf("seed %d: only %d pairs were moved, which proves nothing", seed, moved)
			}
			t.Logf("seed %d, links %v: %d of 1500 pairs moved", seed, withLinks, moved)
		}
	}
}

// TestWrongMovesAreCaught plants mistakes that the property has to find.
func TestWrongMovesAreCaught(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]struct {
		blind    bool // to links in the tree
		commutes func(a, b effect.Effect) bool
	}{
		"everything may move": {commutes: func(a, b effect.Effect) bool { return true }},
		"reading is nothing": {commutes: func(a, b effect.Effect) bool {
			a.Reads, b.Reads = nil, nil
			return effect.Commutes(a, b)
		}},
		"folders above are there": {commutes: func(a, b effect.Effect) bool {
			a.Makes, b.Makes = nil, nil
			return effect.Commutes(a, b)
		}},
		"one direction is enough": {commutes: func(a, b effect.Effect) bool {
			b.Writes, b.Makes = nil, nil
			return effect.Commutes(a, b)
		}},
		"links are none": {blind: true, commutes: effect.Commutes},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				if _, wrong := trial(t, seed, 1000, plant.blind, !plant.blind, plant.commutes); wrong != "" {
					return
				}
			}
			t.Error("the mistake wasn't noticed")
		})
	}
}
