package cost

import (
	"testing"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// What comes again is the layer of the application and all above it.
func TestApp(t *testing.T) {
	churn := []report.ChurnCost{{Layer: 3, Bytes: 1}, {Layer: 2, Bytes: 11}, {Layer: 1, Bytes: 111}, {Layer: 0, Bytes: 1111}}
	for _, c := range []struct {
		name   string
		layers []report.Layer
		want   int64 // bytes; 0 is unknown
	}{
		{"below the installation", []report.Layer{{Instruction: "ADD rootfs.tar /", Base: true, Entries: 9000}, {Instruction: "COPY . .", Entries: 5}, {Instruction: "RUN npm ci", Entries: 900}}, 111},
		{"above it", []report.Layer{{Base: true}, {Instruction: "COPY package.json ./", Entries: 2}, {Instruction: "RUN npm ci", Entries: 900}, {Instruction: "COPY . .", Entries: 20}}, 1},
		{"beside what another stage made", []report.Layer{{Base: true}, {Instruction: "COPY --from=build /m /m", Entries: 900}, {Instruction: "copy --chown=1 src src", Entries: 3}}, 11},
		{"of another stage", []report.Layer{{Base: true}, {Instruction: "COPY --from=build /app /app", Entries: 1}}, 111},
		{"without a known base image", []report.Layer{{Instruction: "ADD rootfs.tar /", Entries: 9}, {Instruction: "COPY . .", Entries: 4}}, 0},
		{"none", []report.Layer{{Instruction: "ADD rootfs.tar /", Base: true, Entries: 9}, {Instruction: "RUN make", Entries: 4}}, 0},
	} {
		for i := range c.layers {
			c.layers[i].Index = i
		}
		got := App(c.layers, churn)
		if (got == nil) != (c.want == 0) || got != nil && got.Bytes != c.want {
			t.Errorf("%s: %+v, want %d bytes", c.name, got, c.want)
		}
	}
}
