package main

// #include "answer.h"
import "C"

import "fmt"

func main() { fmt.Println(C.ANSWER) }
