package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/solver/result"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/go-csvvalue"

	"github.com/imgmgr/imgmgr/lint"
)

// scan says how the SBOM of this build is made. The zero value changes nothing.
type scan struct {
	// key and value are the option that asks BuildKit's frontend for an SBOM,
	// made by the generator that value names.
	key, value string
	// unasked says that nobody asked for the SBOM.
	unasked bool
}

func (s scan) set(opts map[string]string) {
	if s.key != "" {
		opts[s.key] = s.value
	}
}

// mark lets exporters that hold no attestations (a plain folder, an engine's
// classic image store) pass over an SBOM that nobody asked for.
func (s scan) mark(res *client.Result) {
	if !s.unasked {
		return
	}
	for _, list := range res.Attestations {
		for _, a := range list {
			if string(a.Metadata[result.AttestationReasonKey]) == result.AttestationReasonSBOM {
				a.Metadata[result.AttestationInlineOnlyKey] = []byte("true")
			}
		}
	}
}

// sbom decides how the SBOM is made: by this frontend's own image, which speaks
// BuildKit's scanner protocol, so that no other image is pulled. A generator
// that the build names itself is left to it.
func (b *build) sbom(ctx context.Context) scan {
	key, value, asked := askedSBOM(b.opts)
	if asked && hasField(value, "generator") {
		return scan{}
	}
	if b.on.SBOM == lint.SBOMOn {
		asked = true
	}
	if !asked && (b.on.SBOM == lint.SBOMOff || !b.attests()) {
		return scan{}
	}
	if caps := b.client.BuildOpts().LLBCaps; caps.Supports(pb.CapAttestations) != nil {
		if asked {
			b.warn(ctx, "imgmgr: this builder cannot hold attestations, so the image gets no SBOM; a BuildKit from 0.11 on can")
		}
		return scan{}
	}
	var self string
	found := b.guard(ctx, "the image gets no SBOM", func() (err error) {
		self, err = b.scanner(ctx)
		return err
	})
	if !found || self == "" {
		return scan{}
	}
	return scan{key: key, value: b.generator(value, self, asked), unasked: !asked}
}

// attests reports whether the image gets attestations anyway. Buildx asks for
// provenance wherever the builder and its store can hold it; who switches that
// off wants a plain manifest and no index, or has a registry that takes no other,
// and must not get an index for an SBOM that nobody asked for.
func (b *build) attests() bool {
	for key := range attestations.Filter(b.opts) {
		if attestationType(key) == attestations.KeyTypeProvenance {
			return true
		}
	}
	return false
}

// attestationType is the type of attestation that an option is about.
func attestationType(key string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(key, "attest:"), "build-arg:BUILDKIT_ATTEST_"))
}

// generator is the value of the option that has self make the SBOM, with the
// parameters that the build gave. Others reach the scanner in no other way than
// as parameters: that its failure must not fail this build, and the time that a
// reproducible build bears.
func (b *build) generator(value, self string, asked bool) string {
	fields := []string{"generator=" + self}
	if value != "" {
		fields = append(fields, value)
	}
	if !asked {
		fields = append(fields, "OPTIONAL=true") // scanner.EnvOptional
	}
	epoch := b.opts["build-arg:SOURCE_DATE_EPOCH"]
	if _, err := strconv.ParseInt(epoch, 10, 64); err == nil {
		fields = append(fields, "SOURCE_DATE_EPOCH="+epoch)
	}
	return strings.Join(fields, ",")
}

// askedSBOM finds the option by which the build asks for an SBOM.
func askedSBOM(opts map[string]string) (key, value string, asked bool) {
	for key, value := range attestations.Filter(opts) {
		if attestationType(key) == attestations.KeyTypeSbom {
			return key, value, true
		}
	}
	return "attest:" + attestations.KeyTypeSbom, "", false
}

// hasField reports whether an attestation's value has a field of this name.
func hasField(value, field string) bool {
	if value == "" {
		return false
	}
	fields, err := csvvalue.Fields(value, nil)
	if err != nil {
		return true // BuildKit reports it
	}
	for _, f := range fields {
		if name, _, _ := strings.Cut(f, "="); name == field {
			return true
		}
	}
	return false
}

// currentFrontend is what the gateway's client offers inside a frontend's
// container: the definition that the container was made from.
type currentFrontend interface {
	CurrentFrontend() (*llb.State, error)
}

// scanner returns the reference of this frontend's image, by digest where the
// daemon tells it, after a look that it can be run; "" when this frontend does
// not run from an image.
func (b *build) scanner(ctx context.Context) (string, error) {
	self, err := b.self(ctx)
	if err != nil || self == "" {
		return "", err
	}
	opt := sourceresolver.Opt{ImageOpt: &sourceresolver.ResolveImageOpt{
		ResolveMode: b.opts["image-resolve-mode"],
		Platform:    &b.ui.BuildPlatforms[0],
	}}
	_, _, config, err := sourceresolver.NewImageMetaResolver(b.client).ResolveImageConfig(ctx, self, opt)
	if err != nil {
		return "", fmt.Errorf("look up the frontend's own image, which is the SBOM scanner: %w", err)
	}
	var image ocispec.Image
	if err := json.Unmarshal(config, &image); err != nil {
		return "", fmt.Errorf("read the configuration of %s: %w", self, err)
	}
	if len(image.Config.Entrypoint)+len(image.Config.Cmd) == 0 {
		return "", errors.New("the frontend's image " + self + " has no entrypoint")
	}
	return self, nil
}

func (b *build) self(ctx context.Context) (string, error) {
	c, ok := b.gateway.(currentFrontend)
	if !ok {
		return "", nil
	}
	st, err := c.CurrentFrontend()
	if err != nil {
		return "", fmt.Errorf("read which image this frontend is: %w", err)
	}
	if st == nil { // a daemon that doesn't tell
		named, err := reference.ParseNormalizedNamed(b.opts["source"])
		if err != nil {
			return "", nil
		}
		return reference.TagNameOnly(named).String(), nil
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return "", fmt.Errorf("read which image this frontend is: %w", err)
	}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			return "", fmt.Errorf("read which image this frontend is: %w", err)
		}
		if ref, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), "docker-image://"); ok {
			return ref, nil
		}
	}
	return "", nil // built from a local folder, or from a layout
}
