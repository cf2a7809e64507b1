package prune

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// taker takes facts as they are read: what is known beside the repositories, then
// those, one at a time. It may fill in facts for the takers behind it. What it keeps
// of a repository is what stays in memory.
type taker interface {
	begin(head *retention.Inventory) error
	add(*retention.Repository)
	end() error
}

// begin begins with all takers, and returns what hands them the repositories.
func begin(head *retention.Inventory, takers []taker) (func(*retention.Repository), error) {
	for _, t := range takers {
		if err := t.begin(head); err != nil {
			return nil, err
		}
	}
	return func(r *retention.Repository) {
		for _, t := range takers {
			t.add(r)
		}
	}, nil
}

func end(takers []taker) error {
	var errs []error
	for _, t := range takers {
		errs = append(errs, t.end())
	}
	return errors.Join(errs...)
}

// planning makes a plan of the facts.
type planning struct {
	policy  *retention.Policy
	planner *retention.Planner
	plan    *retention.Plan // at the end
}

func (p *planning) begin(head *retention.Inventory) error {
	p.planner = retention.NewPlanner(head, p.policy)
	return nil
}

func (p *planning) add(r *retention.Repository) { p.planner.Add(r) }

func (p *planning) end() error {
	p.plan, p.planner = p.planner.Plan(), nil
	return nil
}

// saving writes the facts to a file, which readInventory reads. The repositories are
// its last field.
type saving struct {
	path string
	file *os.File
	text *bufio.Writer
	some bool
	err  error // the first one
}

func (s *saving) begin(head *retention.Inventory) error {
	alone := *head
	alone.Repositories = []retention.Repository{}
	text, err := json.Marshal(alone)
	if err != nil {
		return s.explain(err)
	}
	if s.file, err = os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return s.explain(err)
	}
	s.text = bufio.NewWriter(s.file)
	s.text.Write(text[:len(text)-len("]}")])
	return nil
}

func (s *saving) add(r *retention.Repository) {
	text, err := json.Marshal(r)
	if s.err = errors.Join(s.err, err); s.err != nil {
		return
	}
	if s.some {
		s.text.WriteString(",")
	}
	s.some = true
	s.text.Write(text)
}

func (s *saving) end() error {
	s.text.WriteString("]}\n")
	return s.explain(errors.Join(s.err, s.text.Flush(), s.file.Close()))
}

func (s *saving) explain(err error) error {
	if err != nil {
		return fmt.Errorf("save the inventory: %w", err)
	}
	return nil
}

func readInventory(path string, to func(*retention.Inventory) (func(*retention.Repository), error)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the inventory: %w", err)
	}
	defer file.Close()
	if err := retention.ReadInventory(file, to); err != nil {
		return fmt.Errorf("read the inventory %s: %w", path, err)
	}
	return nil
}
