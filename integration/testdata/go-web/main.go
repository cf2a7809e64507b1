package main

import (
	"embed"
	"fmt"
)

//go:embed web/dist
var web embed.FS

func main() {
	b, _ := web.ReadFile("web/dist/index.js")
	fmt.Println(len(b))
}
