require "bundler/setup"
require "adder"
require "shout"

puts Shout.at("it is #{Adder.add(1, 2)}")
