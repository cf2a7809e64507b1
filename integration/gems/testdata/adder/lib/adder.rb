require "adder/adder"
