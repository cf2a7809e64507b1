// Command docker-imgmgr is imgmgr on the command line: installed among the
// Docker CLI's plugins it is `docker imgmgr`, and it runs alone, too.
package main

import (
	"os"

	"github.com/imgmgr/imgmgr/plugin"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(plugin.Main(version)) }
