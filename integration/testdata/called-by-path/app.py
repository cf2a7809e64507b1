import greeter

greeter.main()
