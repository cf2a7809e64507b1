package findings

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// system finds what the program that the container starts would look for in the
// system around it, and what it doesn't need of it.
func system(e *Evidence) []report.Finding {
	return slices.Concat(timeZone(e), authorities(e), static(e))
}

// timeZone finds a time zone that is set and isn't there. "UTC" needs no file.
func timeZone(e *Evidence) []report.Finding {
	zone := strings.TrimPrefix(variable(e.Image.Config.Config.Env, "TZ"), ":")
	if zone == "" || zone == "UTC" || e.Image.Platform.OS == "windows" || !strings.Contains(zone, "/") {
		return nil // "CET-1CEST" and the like are rules, not names
	}
	if _, ok := e.Stacked.Resolve(path.Join("/usr/share/zoneinfo", zone)); ok {
		return nil
	}
	return []report.Finding{{
		Kind: "time-zone", Severity: report.Warning, Layer: -1, Paths: []string{"usr/share/zoneinfo/" + zone},
		Message: "TZ is " + zone + ", and the image has no such time zone: programs that look there take UTC",
		Remedy:  "Install tzdata, or copy /usr/share/zoneinfo from another stage",
	}}
}

// bundles are where programs look for certificates of authorities: Go's
// crypto/x509 lists them in root_linux.go.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// authorities finds a program that has TLS linked into it, in an image without
// certificates of authorities. A server that calls nobody does without.
func authorities(e *Evidence) []report.Finding {
	_, entry, ok := started(e)
	env := e.Image.Config.Config.Env
	if !ok || variable(env, "SSL_CERT_FILE") != "" || variable(env, "SSL_CERT_DIR") != "" || !programs(e)[entry.Content].Certificates {
		return nil
	}
	for _, name := range bundles {
		if _, ok := e.Stacked.Resolve(name); ok {
			return nil
		}
	}
	return []report.Finding{{
		Kind: "ca-certificates", Severity: report.Info, Layer: -1, Paths: []string{entry.Path},
		Message: "/" + entry.Path + " has TLS linked into it, and the image has no certificates of authorities: it can't call https addresses",
		Remedy:  "Copy /etc/ssl/certs/ca-certificates.crt from another stage, unless it calls nobody",
	}}
}

// static finds a distribution around a program that needs no library of it.
func static(e *Evidence) []report.Finding {
	_, entry, ok := started(e)
	if !ok || entry.Content == nil {
		return nil
	}
	p, known := programs(e)[entry.Content]
	if !known || p.Script != "" || p.Interpreter != "" || len(p.Needed) > 0 || systemTool(entry.Path) {
		return nil
	}
	f := report.Finding{Kind: "static-program", Severity: report.Info, Layer: entry.Layer, Paths: []string{entry.Path}, Remedy: "Copy it into an image without a distribution (FROM scratch), unless it starts other programs"}
	for _, pkg := range e.Packages {
		if pkg.Type == "deb" || pkg.Type == "apk" || pkg.Type == "rpm" {
			f.Bytes += pkg.Bytes
			f.Files++
		}
	}
	if f.Bytes < leastBytes {
		return nil
	}
	f.Message = fmt.Sprintf("/%s needs no libraries: the distribution's %s take %s beside it", entry.Path, ui.Count(f.Files, "package"), ui.Size(f.Bytes))
	f.Files = 1
	return []report.Finding{f}
}

// systemTool reports that a program is likely the distribution's own, such as a
// static shell.
func systemTool(name string) bool {
	dir := path.Dir(name)
	return slices.Contains([]string{"bin", "sbin", "usr/bin", "usr/sbin"}, dir)
}
