module example.com/trap-go-vendor

go 1.26.0

require example.com/answer v1.0.0
