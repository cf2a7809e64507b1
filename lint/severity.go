package lint

import "fmt"

var severityNames = map[Severity]string{Info: "info", Warning: "warning", Error: "error"}

func (s Severity) String() string {
	if s == Off {
		return "off"
	}
	if name, ok := severityNames[s]; ok {
		return name
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// MarshalText gives the name that is used on the command line and in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads "error", "warning" or "info".
func ParseSeverity(name string) (Severity, error) {
	for s, n := range severityNames {
		if n == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: use error, warning or info", name)
}

var safetyNames = map[Safety]string{None: "none", Unsafe: "unsafe", Safe: "safe", BuildSafe: "build-safe"}

func (s Safety) String() string {
	if name, ok := safetyNames[s]; ok {
		return name
	}
	return fmt.Sprintf("Safety(%d)", int(s))
}

// MarshalText gives the name that is used in JSON.
func (s Safety) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
