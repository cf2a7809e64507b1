// Command unscanned is our frontend without the SBOM that it attaches to each
// image: BuildKit's tests count the attestations of what they build.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec of the gateway's messages

	"github.com/imgmgr/imgmgr/frontend"
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), build); err != nil {
		fmt.Fprintln(os.Stderr, "unscanned:", err)
		os.Exit(2)
	}
}

func build(ctx context.Context, c client.Client) (*client.Result, error) {
	return frontend.Build(ctx, nameless{c})
}

// nameless does not tell which image this frontend runs from, so there is none
// to make the SBOM with.
type nameless struct{ client.Client }
