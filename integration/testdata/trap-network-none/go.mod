module example.com/trap-network-none

go 1.26.0

require github.com/dustin/go-humanize v1.0.1
