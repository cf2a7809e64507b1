// A program that tells which commit it was built from.
package main

import (
	"fmt"
	"os"
)

var revision string

func main() { fmt.Println(revision, os.Getenv("APP_REVISION")) }
