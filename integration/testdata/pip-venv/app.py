import adder

print(adder.add(1, 2))
