package tree

import (
	"fmt"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// layers has a file that is buried, a folder that no layer lists, and many small files.
func layers() []*image.Layer {
	low := []image.File{{Path: "app", Type: image.Dir}, {Path: "app/large", Size: 500}}
	for i := range 50 {
		low = append(low, image.File{Path: fmt.Sprintf("app/small/%02d", i), Size: 1})
	}
	high := []image.File{{Path: "app/large", Type: image.Whiteout}, {Path: "etc/config", Size: 70}}
	return []*image.Layer{{Table: image.Table{Files: low}}, {Table: image.Table{Files: high}}}
}

func TestBoxesLoseNoByte(t *testing.T) {
	l := layers()
	root := Of(l, image.Stack(l))
	if got := root.Bytes(); got != 620 {
		t.Errorf("the tree has %d bytes, want 620", got)
	}
	for _, most := range []int{1000, 10, 5, 1} {
		b := Boxes(root, most)
		var total, dead int64
		boxes := 0
		b.each(func(b *Box) {
			boxes++
			total += sum(b.Parts)
			for _, p := range b.Parts {
				if p[2] >= 0 {
					dead += p[1]
				}
			}
		})
		if total != 620 || dead != 500 {
			t.Errorf("%d boxes have %d bytes, %d of them dead; want 620 and 500", boxes, total, dead)
		}
		if boxes > 2*most {
			t.Errorf("%d boxes, and %d were asked for", boxes, most)
		}
	}
}
