package main

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

func main() { fmt.Println(humanize.Bytes(1 << 20)) }
