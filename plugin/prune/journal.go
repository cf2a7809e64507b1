package prune

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Journal holds what a run deleted, so that it can be given back. It is a folder:
//
//	plan.json      the plan that was run
//	journal.jsonl  one Entry a line, synced before its delete
//	finished       an empty file, once the run came to its end
type Journal struct {
	Dir  string
	file *os.File
}

// Entry is one manifest, or one name of it, as it was before its delete.
type Entry struct {
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`
	Tags       []string `json:"tags,omitempty"` // that went with it
	MediaType  string   `json:"mediaType"`
	Manifest   []byte   `json:"manifest"` // base64
}

const (
	planFile    = "plan.json"
	entriesFile = "journal.jsonl"
	finishFile  = "finished"
)

// NewJournal makes a journal for a plan, in a folder of its own below dir. Names sort
// by time, also of runs that follow at once: undo goes back one after the other.
func NewJournal(dir string, now time.Time, plan *retention.Plan) (*Journal, error) {
	j := &Journal{Dir: filepath.Join(dir, now.UTC().Format("20060102T150405.000000Z")+"-"+rand.Text()[:6])}
	if err := os.MkdirAll(j.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a journal: %w", err)
	}
	if err := writeSynced(filepath.Join(j.Dir, planFile), plan.Write); err != nil {
		return nil, fmt.Errorf("write the plan into the journal: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(j.Dir, entriesFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a journal: %w", err)
	}
	j.file = file
	if err := syncFolder(j.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("make a journal: %w", err), file.Close())
	}
	return j, nil
}

// Record writes an entry and waits until it is on the disk.
func (j *Journal) Record(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s: %w", j.file.Name(), err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", j.file.Name(), err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", j.file.Name(), err)
	}
	return nil
}

// Close ends the journal; a finished run leaves nothing to be done.
func (j *Journal) Close(finished bool) error {
	err := j.file.Close()
	if finished {
		err = errors.Join(err, writeSynced(filepath.Join(j.Dir, finishFile), func(io.Writer) error { return nil }))
	}
	if err != nil {
		return fmt.Errorf("end the journal: %w", err)
	}
	return nil
}

// ReadJournal reads what a run wrote down. A last line that was cut short belongs
// to a delete that wasn't made.
func ReadJournal(dir string) (*retention.Plan, []Entry, error) {
	text, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal: %w", err)
	}
	plan, err := retention.ReadPlan(text)
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal %s: %w", dir, err)
	}
	file, err := os.Open(filepath.Join(dir, entriesFile))
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal: %w", err)
	}
	defer file.Close()
	var entries []Entry
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return plan, entries, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the journal: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, nil, fmt.Errorf("read the journal %s: line %d is damaged: %w", dir, len(entries)+1, err)
		}
		entries = append(entries, e)
	}
}

// Journals are the journals below dir, newest first.
func Journals(dir string) ([]string, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for journals: %w", err)
	}
	var out []string
	for _, f := range found {
		path := filepath.Join(dir, f.Name())
		if _, err := os.Stat(filepath.Join(path, entriesFile)); err == nil {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

func writeSynced(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	return errors.Join(write(out), out.Flush(), file.Sync(), file.Close())
}

// syncFolder makes new files of a folder last; file systems may keep their names
// for later otherwise.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
