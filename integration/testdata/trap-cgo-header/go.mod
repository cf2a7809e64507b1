module example.com/trap-cgo-header

go 1.26.0
