package effect

import "slices"

// Obstacle is why two instructions may not change places.
type Obstacle struct {
	// Certain reports that one of them does use what the other makes or
	// changes. Otherwise that only can't be ruled out.
	Certain bool
	// Unlikely reports that next to no image has what it rests on.
	Unlikely bool
	// Says what it is: "apt-get install may read or write in /opt/app".
	Says string
	// At is the place that both surely use; "" where the obstacle is another.
	At string
}

// Commutes reports that a and b give the same tree and the same configuration
// in either order, and that either of them fails in both orders or in none. It
// is the only way by which anything is moved. [Between] says why not.
//
// Left out are times of files and logs, and the order of the image's history.
func Commutes(a, b Effect) bool { return Between(a, b) == nil }

// Between is what stands against a and b changing places; nil where nothing
// does. A certain obstacle comes before an uncertain one.
func Between(a, b Effect) *Obstacle {
	obstacles := append(a.against(b), b.against(a)...)
	if i := slices.IndexFunc(obstacles, func(o Obstacle) bool { return o.Certain }); i > 0 {
		return &obstacles[i]
	}
	if len(obstacles) == 0 {
		return nil
	}
	return &obstacles[0]
}

// against is what a's changes mean to b.
func (a Effect) against(b Effect) []Obstacle {
	switch {
	case a.Unknown != "" && b.onlySets():
		return a.settings(b) // whatever it does to files
	case a.Unknown != "":
		return []Obstacle{{Says: a.Unknown}}
	case b.Unknown != "" && a.onlySets():
		return slices.Concat(a.settings(b), a.variables(b))
	}
	return slices.Concat(a.settings(b), a.variables(b), a.writes(b), a.made(b), a.links(b))
}

// onlySets reports an instruction that does nothing but to set variables: ARG
// and ENV.
func (a Effect) onlySets() bool {
	return len(a.Sets) > 0 && a.Unknown == "" && !a.System && !a.Environment && len(a.Reads)+len(a.Writes)+len(a.Makes) == 0
}

func (a Effect) settings(b Effect) []Obstacle {
	if both := a.Changes & (b.Needs | b.Changes); both != 0 {
		return []Obstacle{{Certain: true, Says: both.String() + " is another before it"}}
	}
	return nil
}

func (a Effect) variables(b Effect) []Obstacle {
	var list []Obstacle
	for _, name := range a.Sets {
		switch {
		case slices.Contains(b.Vars, name) || slices.Contains(b.Sets, name):
			list = append(list, Obstacle{Certain: true, Says: name + " is set in between, and used"})
		case b.Environment:
			if o := b.heeds(name); o != nil {
				list = append(list, *o)
			}
		}
	}
	return list
}

// writes compares what a writes with all that b touches.
func (a Effect) writes(b Effect) []Obstacle {
	var list []Obstacle
	if a.System && b.System {
		list = append(list, Obstacle{Certain: true, Says: "both change the system"})
	}
	if a.System {
		for _, p := range b.Reads {
			list = append(list, systemObstacle(p)...)
		}
	}
	if a.System && b.Environment && !b.System {
		list = append(list, Obstacle{Says: "the programs that it runs are the system's"})
	}
	for _, w := range a.Writes {
		switch {
		case b.System:
			list = append(list, systemObstacle(w)...)
		case b.Environment && systemTouches(w.Path) == surely:
			list = append(list, Obstacle{Says: "programs may use what is in " + w.Path})
		}
		for _, p := range slices.Concat(b.Reads, b.Writes) {
			switch {
			case !within(w.Path, p.Path) && !within(p.Path, w.Path):
			case w.Perhaps != "" || p.Perhaps != "":
				list = append(list, Obstacle{Says: either(w.Perhaps, p.Perhaps)})
			default:
				list = append(list, Obstacle{Certain: true, Says: "both use " + longer(w.Path, p.Path), At: longer(w.Path, p.Path)})
			}
		}
	}
	return list
}

// systemObstacle is what the system's packages have to do with a place.
func systemObstacle(p Place) []Obstacle {
	switch g := systemTouches(p.Path); {
	case g == never:
		return nil
	case p.Perhaps != "":
		return []Obstacle{{Says: p.Perhaps, Unlikely: p.Unlikely}}
	case g == perhaps && p.Path == "/":
		return []Obstacle{{Says: "what lies in / may be the system's"}}
	case g == perhaps:
		return []Obstacle{{Says: "packages may read or write in " + p.Path, Unlikely: addOn(p.Path)}}
	}
	return []Obstacle{{Certain: true, Says: p.Path + " belongs to the system"}}
}

// made compares the folders that a would make with what b touches in them: b
// may need them, or would make them otherwise.
func (a Effect) made(b Effect) []Obstacle {
	var list []Obstacle
	for _, m := range a.Makes {
		if b.System {
			list = append(list, systemObstacle(Place{Path: m})...)
		}
		for _, p := range slices.Concat(b.Reads, b.Writes) {
			switch {
			case !within(m, p.Path):
			case p.Perhaps != "":
				list = append(list, Obstacle{Says: p.Perhaps})
			default:
				list = append(list, Obstacle{Certain: true, Says: "both use " + m})
			}
		}
		if slices.Contains(b.Makes, m) {
			list = append(list, Obstacle{Certain: true, Says: "both make " + m})
		}
	}
	return list
}

// links are the places of a that may lie elsewhere, where b touches anything.
func (a Effect) links(b Effect) []Obstacle {
	if !b.System && len(b.Reads)+len(b.Writes)+len(b.Makes) == 0 {
		return nil
	}
	var list []Obstacle
	for _, p := range slices.Concat(a.Reads, a.Writes) {
		if p.Link != "" {
			list = append(list, Obstacle{Says: p.Link, Unlikely: p.Unlikely})
		}
	}
	return list
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func longer(a, b string) string {
	if len(a) > len(b) {
		return a
	}
	return b
}
