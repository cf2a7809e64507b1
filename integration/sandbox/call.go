//go:build linux

package sandbox

import (
	"context"
	"fmt"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
)

// Call asks a frontend a question instead of building, as
// `docker build --call` does: request is the id of the subrequest, such as
// "frontend.lint". It returns the answer by name: "result.txt", "result.json".
func (sb *Sandbox) Call(ctx context.Context, req BuildRequest, request string) (map[string][]byte, error) {
	if req.Opts == nil {
		req.Opts = map[string]string{}
	}
	req.Opts["requestid"] = request
	req.Opts["frontend.caps"] = "moby.buildkit.frontend.subrequests"
	name := "dockerfile.v0"
	if req.Frontend != "" {
		name = "gateway.v0"
	}
	inner, answer := req.Func, map[string][]byte(nil)
	req.Func = func(ctx context.Context, c gateway.Client) (res *gateway.Result, err error) {
		if inner != nil {
			res, err = inner(ctx, c)
		} else {
			res, err = c.Solve(ctx, gateway.SolveRequest{Frontend: name, FrontendOpt: c.BuildOpts().Opts})
		}
		if err != nil {
			return nil, err
		}
		answer = res.Metadata
		return gateway.NewResult(), nil
	}
	if _, err := sb.Build(ctx, req); err != nil {
		return nil, fmt.Errorf("asking the frontend for %s: %w", request, err)
	}
	return answer, nil
}
