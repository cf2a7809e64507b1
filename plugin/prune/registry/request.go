package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	tries = 5
	// maxAnswer bounds what is read of one answer. Source: OCI distribution
	// specification 1.1 asks for manifests of 4 MiB at least; listings are longer.
	maxAnswer = 32 << 20
	// maxPatience is the longest wait that a registry can ask for.
	maxPatience = 2 * time.Minute
)

// request is one thing that is asked of a registry.
type request struct {
	method     string
	repository string
	path       string // below /v2/REPOSITORY/, or a whole path for a next page
	action     string // the right it needs: pull, or "pull,push,delete"
	accept     string
	body       []byte
	kind       string // media type of body
}

// answer is a response that was read to its end.
type answer struct {
	header http.Header
	body   []byte
}

// do sends a request, again where that can help. A status of 404 is
// fs.ErrNotExist; what the registry can't do is errors.ErrUnsupported.
func (r *Registry) do(ctx context.Context, req request) (*answer, error) {
	pause := r.opts.Pause
	for try := 1; ; try++ {
		if err := r.gate.enter(ctx); err != nil {
			return nil, err
		}
		got, err := r.once(ctx, req)
		wait, again := r.patience(err, pause)
		r.gate.leave(again && isBusy(err))
		if err == nil {
			return got, nil
		}
		if !again || try == tries || ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s of %s: %w", req.method, req.path, r.host.RegistryStr()+"/"+req.repository, clean(err))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		pause *= 2
	}
}

func (r *Registry) once(ctx context.Context, req request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	client, err := r.client(ctx, req.repository, req.action)
	if err != nil {
		return nil, err
	}
	hr, err := http.NewRequestWithContext(ctx, req.method, r.url(req), bytes.NewReader(req.body))
	if err != nil {
		return nil, err
	}
	if req.accept != "" {
		hr.Header.Set("Accept", req.accept)
	}
	if req.kind != "" {
		hr.Header.Set("Content-Type", req.kind)
	}
	resp, err := client.Do(hr)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("the answer was cut short: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if resp.StatusCode >= 300 {
		return nil, refused(resp, body)
	}
	return &answer{resp.Header, body}, nil
}

func (r *Registry) url(req request) string {
	u := r.host.Scheme() + "://" + r.host.RegistryStr()
	switch {
	case req.path != "" && req.path[0] == '/':
		return u + req.path
	case req.repository == "":
		return u + "/v2/" + req.path
	}
	return u + "/v2/" + req.repository + "/" + req.path
}

// refusal is an answer that isn't what was asked for.
type refusal struct {
	status  int
	message string // of the registry
	after   time.Duration
}

func (e *refusal) Error() string {
	if e.message == "" {
		return fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
	}
	return fmt.Sprintf("%d %s (%s)", e.status, http.StatusText(e.status), e.message)
}

func (e *refusal) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.status == http.StatusNotFound
	case fs.ErrPermission:
		return e.status == http.StatusUnauthorized || e.status == http.StatusForbidden
	case errors.ErrUnsupported:
		return e.status == http.StatusMethodNotAllowed || e.status == http.StatusBadRequest
	}
	return false
}

func refused(resp *http.Response, body []byte) error {
	e := &refusal{status: resp.StatusCode}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if known, ok := errors.AsType[*transport.Error](transport.CheckError(resp)); ok && len(known.Errors) > 0 {
		e.message = known.Errors[0].String()
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		e.after = time.Until(at)
	}
	return e
}

// patience says whether a request may work another time, and how long to wait.
func (r *Registry) patience(err error, pause time.Duration) (time.Duration, bool) {
	if err == nil {
		return 0, false
	}
	if _, unknown := errors.AsType[*net.DNSError](err); unknown || errors.Is(err, syscall.ECONNREFUSED) {
		return 0, false // nobody is there
	}
	status := 0
	if e, ok := errors.AsType[*refusal](err); ok {
		status = e.status
		pause = min(max(pause, e.after), maxPatience)
	} else if e, ok := errors.AsType[*transport.Error](err); ok { // from asking for a token
		status = e.StatusCode
	}
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return pause, true
	}
	return 0, false
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*refusal](err)
	return ok && (e.status == http.StatusTooManyRequests || e.status == http.StatusServiceUnavailable)
}

// clean takes addresses out of an error: those that a registry redirects to can
// hold signatures that open a blob for everybody.
func clean(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func insecureTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for by --insecure
}

// gate lets so many requests run at a time. A registry that asks for patience
// halves the number, and fifty good answers raise it by one.
type gate struct {
	mu                  sync.Mutex
	free                *sync.Cond
	most, limit, inside int
	good                int
}

func newGate(most int) *gate {
	g := &gate{most: most, limit: most}
	g.free = sync.NewCond(&g.mu)
	return g
}

func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.inside >= g.limit {
		g.free.Wait()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	g.inside++
	return nil
}

func (g *gate) leave(busy bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if busy {
		g.limit, g.good = max(1, g.limit/2), 0
	} else if g.good++; g.good%50 == 0 {
		g.limit = min(g.most, g.limit+1)
	}
	g.free.Broadcast()
}
