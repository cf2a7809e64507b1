// Package web holds the page, as the bundler made it.
package web

import "embed"

//go:embed dist
var Files embed.FS
