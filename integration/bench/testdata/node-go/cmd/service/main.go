// Command service serves the page, and /metrics.
package main

import (
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/go-service/web"
)

const banner = "hello"

func main() {
	r := chi.NewRouter()
	r.Handle("/metrics", promhttp.Handler())
	r.Handle("/*", http.FileServerFS(web.Files))
	log.Println(banner)
	log.Fatal(http.ListenAndServe(":8080", r))
}
