// Command greet greets.
package main

import "fmt"

var version = "none"

func main() { fmt.Println("hello from", version) }
