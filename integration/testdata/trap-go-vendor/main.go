package main

import (
	"fmt"

	"example.com/answer"
)

func main() { fmt.Println(answer.Answer) }
