// Package report is what an analysis of an image says: data alone, and the
// names of its JSON. docs/analyze.md explains each figure.
package report

// Version is that of the report's JSON. It changes when a name goes or means
// something else.
const Version = 1

// Report is what Analyze finds. All sizes are in bytes.
type Report struct {
	Version    int         `json:"version"`
	Image      Image       `json:"image"`
	Totals     Totals      `json:"totals"`
	Dive       Dive        `json:"dive"`
	Layers     []Layer     `json:"layers"`
	Findings   []Finding   `json:"findings"`
	Packages   []Package   `json:"packages"`
	Pull       Pull        `json:"pull"`
	Paths      []PathEntry `json:"paths,omitempty"`
	Comparison *Comparison `json:"comparison,omitempty"`
	Gates      []Gate      `json:"gates,omitempty"`
	Proof      *Proof      `json:"proof,omitempty"`
}

// Image says which image it is.
type Image struct {
	Name     string `json:"name,omitempty"`
	Source   string `json:"source"`
	Digest   string `json:"digest,omitempty"` // of the manifest
	ID       string `json:"id"`               // of the configuration
	Platform string `json:"platform"`
	// Base is the base image, where its name is known: by --base, by annotations, or
	// as the known image with the longest chain of layers below this one.
	Base string `json:"base,omitempty"`
	// Attribution is how layers were led back to instructions: "provenance",
	// "dockerfile", "history", or "none".
	Attribution string `json:"attribution" enum:"provenance,dockerfile,history,none"`
	// Contents says that files' contents were looked at. Otherwise packages,
	// secrets, duplicates and metadata-only copies aren't known.
	Contents bool `json:"contents"`
}

// Totals are about the image as a whole. Shipped = live + overwritten + deleted.
type Totals struct {
	ShippedBytes     int64 `json:"shippedBytes"`
	LiveBytes        int64 `json:"liveBytes"`
	DeadBytes        int64 `json:"deadBytes"`
	OverwrittenBytes int64 `json:"overwrittenBytes"`
	DeletedBytes     int64 `json:"deletedBytes"`
	// MetadataOnlyBytes are the part of OverwrittenBytes whose content came
	// again unchanged: chmod, chown, touch.
	MetadataOnlyBytes int64 `json:"metadataOnlyBytes"`
	// DuplicateBytes are live contents that are there already under another path.
	DuplicateBytes int64 `json:"duplicateBytes"`
	// CompressedBytes are what the layers take in a registry; 0 where the
	// source holds them uncompressed.
	CompressedBytes int64   `json:"compressedBytes"`
	BaseBytes       int64   `json:"baseBytes"` // shipped by layers of the base image
	Efficiency      float64 `json:"efficiency"`
	Files           int     `json:"files"` // live paths, folders included
}

// Dive are the three figures of dive, by its formulas.
type Dive struct {
	Efficiency        float64 `json:"efficiency"`
	WastedBytes       int64   `json:"wastedBytes"`
	UserWastedPercent float64 `json:"userWastedPercent"` // a fraction, as in dive's own rules
}

// Layer is one layer's share.
type Layer struct {
	Index       int    `json:"index"`
	Digest      string `json:"digest,omitempty"`
	DiffID      string `json:"diffID"`
	Instruction string `json:"instruction"`
	File        string `json:"file,omitempty"` // the Dockerfile
	Line        int    `json:"line,omitempty"` // from 1
	Base        bool   `json:"base"`
	// Bytes are what the layer ships, DeadBytes the part of them that later
	// layers buried, BuriedBytes what this layer buried, of lower layers and its own.
	Bytes             int64 `json:"bytes"`
	CompressedBytes   int64 `json:"compressedBytes"`
	DeadBytes         int64 `json:"deadBytes"`
	BuriedBytes       int64 `json:"buriedBytes"`
	MetadataOnlyBytes int64 `json:"metadataOnlyBytes"` // that it ships again unchanged
	Entries           int   `json:"entries"`
}

// Finding is something to do.
type Finding struct {
	Kind     string   `json:"kind"`
	Severity string   `json:"severity" enum:"error,warning,info"`
	Rule     string   `json:"rule,omitempty"`
	Layer    int      `json:"layer"` // -1 for the configuration
	Paths    []string `json:"paths"` // the largest first, at most ten
	Files    int      `json:"files"` // how many there are
	Bytes    int64    `json:"bytes"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
}

// Package is an installed package.
type Package struct {
	Type    string `json:"type"` // as in a package URL: "deb", "apk", "rpm", "npm", "pypi", "maven", "golang"
	Name    string `json:"name"`
	Version string `json:"version"`
	// Layer is where this version came in first; Base says that it is one of
	// the base image.
	Layer int  `json:"layer"`
	Base  bool `json:"base"`
	// Bytes are those of the package's files that are live, or what its record
	// says where nothing lists them; 0 if neither is known.
	Bytes int64 `json:"bytes"`
}

// Pull is what pulling the image costs.
type Pull struct {
	Bytes int64 `json:"bytes"` // compressed, where that is known
	// From is the image that the machine has, where one was given; then only
	// layers that it lacks count.
	From   string      `json:"from,omitempty"`
	Layers int         `json:"layers"` // to pull
	Times  []PullTime  `json:"times"`
	Churn  []ChurnCost `json:"churn"`
	// App is what comes again when a file of the application changes: the churn of the
	// COPY or ADD that brings most files; missing where no layer is known to be one.
	App *ChurnCost `json:"app,omitempty"`
}

// PullTime is a model, not a measurement.
type PullTime struct {
	MegabitsPerSecond int     `json:"megabitsPerSecond"`
	Seconds           float64 `json:"seconds"`
}

// ChurnCost is what re-ships when a layer changes: it and all above it.
type ChurnCost struct {
	Layer int   `json:"layer"`
	Bytes int64 `json:"bytes"`
}

// Gate is a policy and whether the image meets it.
type Gate struct {
	// Budget is the file that sets it; "" where a flag does.
	Budget string `json:"budget,omitempty"`
	// Name is what is held: as the flag, "max-size", or the paths or packages of
	// a budget, "path /usr/share/doc/**".
	Name  string `json:"name"`
	Limit string `json:"limit"`
	Value string `json:"value"`
	// Layer is where most of it comes from; -1 for none.
	Layer  int  `json:"layer"`
	Passed bool `json:"passed"`
}

// String names the gate as its owner wrote it.
func (g Gate) String() string {
	if g.Budget == "" {
		return "--" + g.Name + " " + g.Limit
	}
	return g.Budget + ": " + g.Name + " " + g.Limit
}

// Comparison is how an image differs from an older one. All bytes are what came
// minus what went.
type Comparison struct {
	With            string          `json:"with"`
	ShippedBytes    int64           `json:"shippedBytes"`
	LiveBytes       int64           `json:"liveBytes"`
	CompressedBytes int64           `json:"compressedBytes"`
	Added           int             `json:"added"` // paths
	Removed         int             `json:"removed"`
	Changed         int             `json:"changed"`
	Paths           []PathChange    `json:"paths"` // the largest changes, at most 50
	Packages        []PackageChange `json:"packages"`
	Setuid          []string        `json:"setuid"` // programs that are so now and weren't
	Config          []ConfigChange  `json:"config"`
	// Equal says that both unpack to the same files and run the same way; times
	// and layers may differ.
	Equal bool `json:"equal"`
}

// Ways in which a path differs.
const (
	Added    = "added"
	Removed  = "removed"
	Content  = "content"
	Metadata = "metadata" // and the same content
)

// PathChange is a path that differs.
type PathChange struct {
	Path   string `json:"path"`
	Change string `json:"change" enum:"added,removed,content,metadata"`
	Bytes  int64  `json:"bytes"`
}

// PackageChange is a package that came, went, or has another version.
type PackageChange struct {
	Type string `json:"type"`
	Name string `json:"name"`
	From string `json:"from,omitempty"` // versions; "" is none
	To   string `json:"to,omitempty"`
}

// ConfigChange is a field of the configuration that differs.
type ConfigChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// PathEntry is an entry of a layer, and what became of it.
type PathEntry struct {
	Path  string `json:"path"`
	Layer int    `json:"layer"`
	Bytes int64  `json:"bytes"`
	State string `json:"state" enum:"live,overwritten,deleted,whiteout,opaque"`
	// BuriedBy is the layer that buried it; -1 if it is live.
	BuriedBy int `json:"buriedBy"`
}

// Severities of findings.
const (
	Severe  = "error"
	Warning = "warning"
	Info    = "info"
)

// Passed reports whether all limits are met.
func (r *Report) Passed() bool {
	for _, g := range r.Gates {
		if !g.Passed {
			return false
		}
	}
	return true
}
