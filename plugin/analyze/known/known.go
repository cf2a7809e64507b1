// Package known remembers images by their chains of layers, to tell what an image was
// built on where nothing says so: the known image with the longest chain that is the
// lower part of its own.
package known

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// most is how many images are remembered. One takes about a kilobyte.
const most = 2000

// file is where they are, in the cache folder. Its name changes with Image.
const file = "images-1.json"

// Image is an image by the digests of its uncompressed layers, the lowest first.
type Image struct {
	Name  string          `json:"name"`
	ID    digest.Digest   `json:"id"` // of the configuration
	Chain []digest.Digest `json:"chain"`
}

// Base is the image with the longest chain that an image has below its own layers;
// false if there is none. Another image of its own repository is no base: it is an
// older one, or one of its stages. Nor is one without a name.
func Base(img Image, images []Image) (base Image, ok bool) {
	for _, other := range images {
		n := len(other.Chain)
		switch {
		case n == 0 || n >= len(img.Chain) || !slices.Equal(other.Chain, img.Chain[:n]):
		case repository(other.Name) == "" || repository(other.Name) == repository(img.Name):
		case n > len(base.Chain) || n == len(base.Chain) && other.Name < base.Name:
			base, ok = other, true
		}
	}
	return base, ok
}

// repository is a name without tag and digest; "" for an ID or what is no name.
func repository(name string) string {
	if digest.Digest(name).Validate() == nil {
		return ""
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	return reference.TrimNamed(named).Name()
}

// Read reads what is remembered in a folder: nothing where it can't be read.
func Read(dir string) (images []Image) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil || json.Unmarshal(text, &images) != nil {
		return nil
	}
	return images
}

// Remember adds images to those in a folder, the newest last. The oldest make room.
func Remember(dir string, images ...Image) error {
	all, before := Read(dir), len(images)
	kept := slices.DeleteFunc(slices.Clone(all), func(old Image) bool {
		return slices.ContainsFunc(images, func(n Image) bool { return n.Name == old.Name })
	})
	kept = append(kept, images...)
	if len(kept) > most {
		kept = kept[len(kept)-most:]
	}
	if before == 0 || slices.EqualFunc(all, kept, func(a, b Image) bool { return a.Name == b.Name && a.ID == b.ID }) {
		return nil
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("remember images: %w", err)
	}
	out, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return fmt.Errorf("remember images: %w", err)
	}
	_, err = out.Write(text)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(out.Name(), filepath.Join(dir, file))
	}
	if err != nil {
		_ = os.Remove(out.Name())
		return fmt.Errorf("remember images: %w", err)
	}
	return nil
}
