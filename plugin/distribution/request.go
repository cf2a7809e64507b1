package distribution

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
	"strings"
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

// Rights that a request can need, as tokens name them.
const (
	MayRead   = "pull"
	MayChange = "pull,push,delete"
)

// Request is one thing that is asked of a registry.
type Request struct {
	Method     string
	Repository string // without the host; "" for what is about the registry
	Path       string // below /v2/REPOSITORY/, or a whole path or URL that the registry has named
	Rights     string
	From       string // another repository that has to be readable, to mount from
	Header     http.Header
	Body       []byte
}

// Answer is a response that was read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request, again where that can help. The error wraps a *Refusal where
// the registry answered with another status than 2xx.
func (r *Registry) Do(ctx context.Context, req Request) (*Answer, error) {
	var got *Answer
	err := r.again(ctx, req.Method+" "+req.Path+" of "+strings.TrimSuffix(r.Host()+"/"+req.Repository, "/"), func() (err error) {
		got, err = r.once(ctx, req)
		return err
	})
	return got, err
}

// again does something as often as can help, as one of the requests that may run
// at one time.
func (r *Registry) again(ctx context.Context, what string, do func() error) error {
	return r.patiently(ctx, what, func() error {
		if err := r.gate.enter(ctx); err != nil {
			return err
		}
		err := do()
		r.gate.leave(isBusy(err))
		return err
	})
}

// patiently does something as often as can help, with a pause before each further
// try that the registry can make longer.
func (r *Registry) patiently(ctx context.Context, what string, do func() error) error {
	pause := r.opts.Pause
	for try := 1; ; try++ {
		err := do()
		if err == nil {
			return nil
		}
		wait, again := r.patience(err, pause)
		if !again || try == tries || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, clean(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause *= 2
	}
}

func (r *Registry) once(ctx context.Context, req Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	resp, err := r.send(ctx, req, bytes.NewReader(req.Body))
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
	return &Answer{resp.StatusCode, resp.Header, body}, nil
}

// send sends a request; the body is in place of the request's own.
func (r *Registry) send(ctx context.Context, req Request, body io.Reader) (*http.Response, error) {
	client, err := r.client(ctx, req.Repository, req.Rights, req.From)
	if err != nil {
		return nil, err
	}
	hr, err := http.NewRequestWithContext(ctx, req.Method, r.url(req), body)
	if err != nil {
		return nil, err
	}
	for name, values := range req.Header {
		hr.Header[name] = values
	}
	return client.Do(hr)
}

func (r *Registry) url(req Request) string {
	u := r.guard.speaks() + "://" + r.Host()
	switch {
	case strings.Contains(req.Path, "://"):
		return req.Path
	case req.Path != "" && req.Path[0] == '/':
		return u + req.Path
	case req.Repository == "":
		return u + "/v2/" + req.Path
	}
	return u + "/v2/" + req.Repository + "/" + req.Path
}

// Refusal is an answer that isn't what was asked for.
type Refusal struct {
	Status  int
	Message string // of the registry
	code    transport.ErrorCode
	after   time.Duration
}

func (e *Refusal) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%d %s (%s)", e.Status, http.StatusText(e.Status), e.Message)
}

func (e *Refusal) Is(target error) bool {
	// zot says of a repository that isn't there that the request is bad.
	unknown := e.Status == http.StatusBadRequest && e.code == transport.NameUnknownErrorCode
	switch target {
	case fs.ErrNotExist:
		return e.Status == http.StatusNotFound || unknown
	case fs.ErrPermission:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	case errors.ErrUnsupported:
		return e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusBadRequest && !unknown
	}
	return false
}

func refused(resp *http.Response, body []byte) error {
	e := &Refusal{Status: resp.StatusCode}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if known, ok := errors.AsType[*transport.Error](transport.CheckError(resp)); ok && len(known.Errors) > 0 {
		e.Message, e.code = known.Errors[0].String(), known.Errors[0].Code
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
	if _, done := errors.AsType[fatal](err); done {
		return 0, false
	}
	if _, never := errors.AsType[*plainHTTP](err); never {
		return 0, false
	}
	if _, never := errors.AsType[*tls.CertificateVerificationError](err); never {
		return 0, false
	}
	if _, unknown := errors.AsType[*net.DNSError](err); unknown || errors.Is(err, syscall.ECONNREFUSED) {
		return 0, false // nobody is there
	}
	status := 0
	if e, ok := errors.AsType[*Refusal](err); ok {
		status = e.Status
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
	e, ok := errors.AsType[*Refusal](err)
	return ok && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable)
}

// clean takes addresses out of an error: those that a registry redirects to can
// hold signatures that open a blob for everybody.
func clean(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
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
