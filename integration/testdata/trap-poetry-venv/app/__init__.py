import nodder

nodder.main()
