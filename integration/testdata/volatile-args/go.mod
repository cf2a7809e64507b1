module example.com/volatile-args

go 1.26
