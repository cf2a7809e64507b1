package main

import "testing"

func TestRoutes(t *testing.T) { main() }
