package report

// Proof is what the repairs of the Dockerfile save, as it was measured: both were
// built, on the same builder.
type Proof struct {
	Dockerfile string  `json:"dockerfile"`
	Driver     string  `json:"driver"` // of the builder
	Fixes      []Fixed `json:"fixes"`
	// Before and After are the builds of the Dockerfile as it is written and as it
	// is repaired. They are missing where there was nothing to repair.
	Before *Built `json:"before,omitempty"`
	After  *Built `json:"after,omitempty"`
	// Edited is the file of the build context that was changed before the rebuilds;
	// "" where the build copies none.
	Edited string `json:"edited,omitempty"`
	// Equal says that both images have the same files, but for what the fixes leave
	// out and for what differs between any two builds, and the same configuration.
	Equal        bool  `json:"equal"`
	DroppedPaths int   `json:"droppedPaths"` // that the fixes leave out
	DroppedBytes int64 `json:"droppedBytes"`
	NoisePaths   int   `json:"noisePaths"` // that differ between any two builds
	// Different is how many paths differ beyond that, and Differences the largest of
	// them, at most 50.
	Different   int            `json:"different"`
	Differences []PathChange   `json:"differences"`
	Config      []ConfigChange `json:"config"`
}

// Fixed is a repair that was made.
type Fixed struct {
	Rule    string   `json:"rule"`
	Line    int      `json:"line"` // of the instruction, in the Dockerfile as it is written
	Message string   `json:"message"`
	Safety  string   `json:"safety" enum:"build-safe,safe,unsafe"`
	Drops   []string `json:"drops"` // paths that the image may lack for it
	// BeforeBytes and AfterBytes are what the line's layers ship, uncompressed. All
	// fixes of a line have the same.
	BeforeBytes int64 `json:"beforeBytes"`
	AfterBytes  int64 `json:"afterBytes"`
}

// Built is what one Dockerfile's builds took and gave.
type Built struct {
	ShippedBytes    int64 `json:"shippedBytes"`
	LiveBytes       int64 `json:"liveBytes"`
	DeadBytes       int64 `json:"deadBytes"`
	CompressedBytes int64 `json:"compressedBytes"` // 0 where the builder's Engine doesn't tell
	// BuildSeconds are those of a build without any step from the cache and with
	// empty cache mounts, but with its base images at hand; writing the image isn't
	// counted.
	BuildSeconds float64 `json:"buildSeconds"`
	// RebuildSeconds are those of the build behind it, after the edit; 0 where there
	// was none, or it failed. RebuildSteps are the steps that it ran.
	RebuildSeconds float64  `json:"rebuildSeconds"`
	RebuildSteps   []string `json:"rebuildSteps"`
}
